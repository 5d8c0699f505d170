/** The line below a picture says what is pointed at or has the focus: `data-tip` of the part. */
export function readouts(): void {
  const show = ({ target }: Event): void => {
    const part = target instanceof Element ? target.closest<SVGElement | HTMLElement>('[data-tip]') : null;
    const line = part?.closest('[data-readout]')?.querySelector('.readout');
    if (part?.dataset['tip'] !== undefined && line) line.textContent = part.dataset['tip'];
  };
  document.addEventListener('pointerover', show);
  document.addEventListener('focusin', show);
}
