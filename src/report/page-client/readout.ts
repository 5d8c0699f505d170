/** The line below a picture says what is pointed at or has the focus: the title of the part. */
export function readouts(): void {
  const show = ({ target }: Event): void => {
    const part = target instanceof Element ? target.closest<SVGElement | HTMLElement>('[data-tip]') : null;
    const line = part?.closest('[data-readout]')?.querySelector('.readout');
    const text = part?.querySelector('title')?.textContent ?? part?.getAttribute('title');
    if (text != null && line) line.textContent = text;
  };
  document.addEventListener('pointerover', show);
  document.addEventListener('focusin', show);
}
