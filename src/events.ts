/** Pending events as data: a name and the tick at which it is due. Names belong to devices. */
export class EventQueue {
  private readonly ticks = new Map<string, number>();
  /** Tick of the earliest event; Infinity when none is pending. */
  next = Infinity;

  schedule(name: string, tick: number): void {
    this.ticks.set(name, tick);
    this.refresh();
  }

  cancel(name: string): void {
    if (this.ticks.delete(name)) this.refresh();
  }

  /** Takes one event that is due at `now`, the earliest first; names break ties. */
  takeDue(now: number): string | undefined {
    if (this.next > now) return undefined;
    const [name] =
      [...this.ticks].filter(([, tick]) => tick === this.next).sort(([a], [b]) => (a < b ? -1 : 1))[0] ?? [];
    if (name !== undefined) this.cancel(name);
    return name;
  }

  private refresh(): void {
    this.next = Math.min(Infinity, ...this.ticks.values());
  }

  save(): Record<string, number> {
    return Object.fromEntries(this.ticks);
  }

  restore(saved: Readonly<Record<string, number>>): void {
    this.ticks.clear();
    for (const [name, tick] of Object.entries(saved)) this.ticks.set(name, tick);
    this.refresh();
  }
}
