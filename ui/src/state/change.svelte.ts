// A change as a dialog makes it: shown first, done when wanted, then what it did or why it failed. What is asked for, and what
// the answers mean, the dialog knows.

import { untrack } from "svelte";

import { host } from "#host";

import type { Failure } from "../host/generated";
import { asFailure } from "../host/host";
import { session } from "./session.svelte";

export class Change<Shown, Outcome> {
  /** What would be done; none while that is worked out, and none that would no longer be done. */
  shown = $state.raw<Shown | null>(null);
  failure = $state.raw<Failure | null>(null);
  outcome = $state.raw<Outcome | null>(null);
  /** It is being done. */
  working = $state(false);
  /** Somebody asked for its end. */
  stopping = $state(false);

  #asked = 0;

  /** Works out what would be done. The answer to what was asked last counts. */
  async preview(ask: () => Promise<Shown>): Promise<void> {
    // A look during or after the change may lead to another question; what was agreed to stays as it was shown. Whoever asks in an
    // effect asks again because of what it asks for, not because of this.
    if (untrack(() => this.working || this.outcome !== null)) return;
    const asked = this.forget();
    try {
      const shown = await ask();
      if (asked === this.#asked) this.shown = shown;
    } catch (thrown) {
      if (asked === this.#asked) this.failure = asFailure(thrown);
    }
  }

  /** Takes away what was shown, and what is on its way; gives the number of what is asked next. */
  forget(): number {
    this.shown = null;
    this.failure = null;
    return ++this.#asked;
  }

  /** Does it. What failed has to be shown anew. */
  async apply(make: () => Promise<Outcome>): Promise<void> {
    this.#asked += 1;
    this.working = true;
    this.failure = null;
    session.change = null;
    session.rebuild = null;
    session.rebuildLines = [];
    try {
      this.outcome = await make();
    } catch (thrown) {
      this.failure = asFailure(thrown);
      this.shown = null;
    } finally {
      this.working = false;
      this.stopping = false;
      // What failed in the middle and was taken back has a receipt, too.
      void session.readHistory();
    }
  }

  /** Asks for its end; whoever waits for it is told. */
  async stop(command: "stop_change" | "stop_rebuild"): Promise<void> {
    this.stopping = true;
    try {
      await host.call(command, {});
    } catch {
      // It goes on, and can be asked again.
      this.stopping = false;
    }
  }
}
