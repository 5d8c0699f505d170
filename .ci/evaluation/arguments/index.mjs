// The arguments of 2015 to 2018, in the order of the document.
//
// Each is a file: `{ name, title, by, claim, figures, text }`. `figures(runs)` makes the runs and gives plain data, which is kept in
// docs/evaluation/figures.json; `text(figures)` makes of it `{ figure, body, forEfi, forPvh, open }`: the one figure for the
// overview, paragraphs and tables, what speaks for either side, and what is not measured.
export const evaluated = [];
