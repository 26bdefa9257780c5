// The time, for words such as "4 s ago". Ticks only while somebody can see it, and asks nobody.

import { createSubscriber } from "svelte/reactivity";

class Clock {
  #now = Date.now();
  #subscribe = createSubscriber((update) => {
    const tick = () => {
      if (document.hidden) return;
      this.#now = Date.now();
      update();
    };
    const timer = setInterval(tick, 1000);
    document.addEventListener("visibilitychange", tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  });

  /** Milliseconds; what reads it is told when it changes. */
  get now(): number {
    this.#subscribe();
    return this.#now;
  }
}

export const clock = new Clock();
