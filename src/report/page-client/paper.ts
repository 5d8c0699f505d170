/** On paper everything is open; behind it what was closed is closed again. A link into a closed part opens it. */
export function openForPaper(): void {
  let closed: HTMLDetailsElement[] = [];
  window.addEventListener('beforeprint', () => {
    closed = [...document.querySelectorAll<HTMLDetailsElement>('details:not([open])')];
    for (const one of closed) one.open = true;
  });
  window.addEventListener('afterprint', () => {
    for (const one of closed) one.open = false;
  });
}
