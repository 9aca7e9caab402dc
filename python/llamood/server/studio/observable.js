/** A value that tells when it is another. Values are never changed in place. */
export class Observable {
  #value;
  #watchers = new Set();

  constructor(value) {
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  set value(value) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const watcher of this.#watchers) watcher(value);
  }

  /** The same for some who watch it together, until `end` is called. */
  branch() {
    const [trunk, mine] = [this, []];
    return {
      get value() {
        return trunk.value;
      },
      set value(value) {
        trunk.value = value;
      },
      watch: (watcher) => {
        mine.push(watcher);
        trunk.watch(watcher);
      },
      end: () => mine.forEach((watcher) => trunk.#watchers.delete(watcher)),
    };
  }

  /** `watcher` is called now and at each change. */
  watch(watcher) {
    this.#watchers.add(watcher);
    watcher(this.#value);
  }
}
