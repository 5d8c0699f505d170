/** The switch between light, dark and what the system says. It lasts as long as the page is open. */
export function theme(): void {
  const group = document.querySelector<HTMLElement>('.theme');
  if (group === null) return;
  group.hidden = false;
  const buttons = [...group.querySelectorAll<HTMLButtonElement>('button')];
  for (const button of buttons) {
    button.addEventListener('click', () => {
      const { theme: chosen = 'auto' } = button.dataset;
      if (chosen === 'auto') delete document.documentElement.dataset['theme'];
      else document.documentElement.dataset['theme'] = chosen;
      for (const one of buttons) one.setAttribute('aria-pressed', String(one === button));
    });
  }
}
