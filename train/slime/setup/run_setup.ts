/** Sets up all hosts concurrently. The steps of a host run in order. */

import { messageOf } from "../../../env/errors.ts";
import { type HostShells, openHost } from "../hosts/host_shells.ts";
import { shellAt, wordsWithin } from "../hosts/place.ts";
import type { Shell } from "../hosts/shell.ts";
import { fingerprintOf } from "./fingerprint.ts";
import {
  earlierEntry,
  type Entry,
  type Made,
  type Manifest,
  withEntry,
} from "./manifest.ts";
import type { HostPlan } from "./setup_plan.ts";
import {
  checkStep,
  doStep,
  type Progress,
  type StepOptions,
} from "./run_step.ts";
import { openSession, type Session } from "./setup_session.ts";
import type { Probe, Step, StepId } from "./step.ts";

/**
 * The state of a step.
 * - `checking`, `running`: the step's check or its commands are running.
 * - `done`: the step was already done.
 * - `ran`: the step was done now.
 * - `todo`: the step is not done, and only the checks were run.
 * - `waiting`: the step has not run, for example because an earlier step failed or is not done. In an event without a
 *   step, the host waits for another host.
 * - `refused`: the step cannot be done, for example because a program is missing, or because the step would change
 *   something that setup did not create.
 * - `failed`: the check or a command of the step failed.
 * - `stopped`: setup was aborted during the step.
 */
export type StepState =
  | "checking"
  | "running"
  | "done"
  | "ran"
  | "todo"
  | "waiting"
  | "refused"
  | "failed"
  | "stopped";

/** The result of a step on one host. */
export interface StepReport {
  readonly id: StepId;
  readonly title: string;
  readonly state: StepState;
  readonly detail: string;
  readonly seconds: number;
}

/** The result of setup on one host. */
export interface HostReport {
  readonly host: string;
  readonly steps: readonly StepReport[];
  /** The reason why some steps of the host are not done. */
  readonly error?: string;
}

/** An event that reports the progress of setup. */
export interface SetupEvent {
  readonly host: string;
  /** The step that the event is about; `undefined` before the first step. */
  readonly step: StepId | undefined;
  readonly state: StepState;
  readonly detail: string;
  readonly progress?: Progress;
}

/** Options for {@linkcode runSetup} and {@linkcode checkSetup}. */
export interface SetupContext
  extends Omit<StepOptions, "onLine" | "onProgress"> {
  /**
   * An id of this run of setup. Hosts that share a directory are set up one after another if they belong to the same
   * run. If another run is using the directory, this run fails on the host.
   */
  readonly run: string;
  now(): Date;
  onEvent?(event: SetupEvent): void;
}

/**
 * Sets up all hosts concurrently. If a host fails, the setup of the other hosts continues. Errors of hosts are
 * reported, not thrown.
 */
export function runSetup(
  plans: readonly HostPlan[],
  context: SetupContext,
): Promise<HostReport[]> {
  return Promise.all(plans.map((plan) => new HostRun(plan, context).setUp()));
}

/**
 * Runs only the checks of the steps, on all hosts concurrently. Steps in a container that is not ready are reported as
 * waiting.
 */
export function checkSetup(
  plans: readonly HostPlan[],
  context: SetupContext,
): Promise<HostReport[]> {
  return Promise.all(plans.map((plan) => new HostRun(plan, context).check()));
}

class HostRun {
  readonly #plan: HostPlan;
  readonly #context: SetupContext;
  readonly #reports: StepReport[] = [];

  constructor(plan: HostPlan, context: SetupContext) {
    this.#plan = plan;
    this.#context = context;
  }

  setUp(): Promise<HostReport> {
    return this.#guarded(async (shells) => {
      await using session = await openSession(shells, {
        ...this.#context,
        plan: this.#plan,
        onWait: () =>
          this.#event(
            undefined,
            "waiting",
            "another host of this run is using the shared directory",
          ),
      });
      if (this.#plan.hasSlime) {
        const { place } = this.#plan;
        await session.save({ ...session.manifest, place });
      }
      for (const step of this.#plan.steps) {
        const ok = await this.#timed(
          step,
          () => this.#setUpStep(step, { shells, session }),
        );
        if (!ok) break;
      }
    });
  }

  check(): Promise<HostReport> {
    return this.#guarded(async (shells) => {
      let container = true;
      for (const step of this.#plan.steps) {
        if (step.inside && !container) continue;
        await this.#timed(step, async () => {
          const { signal } = this.#context;
          const probe = await checkStep(step, this.#shell(step, shells), {
            signal,
          });
          if (step.id === "container") container = probe.state === "done";
          return probe;
        });
      }
    });
  }

  /**
   * Runs the setup of a host. An error is recorded in the host's report, and the steps that were not run are reported
   * as waiting.
   */
  async #guarded(
    body: (shells: HostShells) => Promise<void>,
  ): Promise<HostReport> {
    let error: string | undefined;
    try {
      await using shells = openHost(this.#plan.host);
      await body(shells);
    } catch (thrown) {
      error = this.#message(thrown);
    }
    const failed = this.#reports.find(({ state }) =>
      state === "failed" || state === "refused" || state === "stopped"
    );
    error ??= failed && `${this.#plan.name}: ${failed.id}: ${failed.detail}`;
    const steps = this.#plan.steps.map((step) =>
      this.#reports.find(({ id }) => id === step.id) ??
        report(step, { state: "waiting", detail: "", seconds: 0 })
    );
    return {
      host: this.#plan.name,
      steps,
      ...error === undefined ? {} : { error },
    };
  }

  /**
   * Runs a step and measures its time.
   * @returns Whether the next step can run.
   */
  async #timed(
    step: Step,
    body: () => Promise<Probe | StepOutcome>,
  ): Promise<boolean> {
    const startedMs = performance.now();
    this.#event(step, "checking", "");
    let outcome: StepOutcome;
    try {
      outcome = await body();
    } catch (error) {
      outcome = this.#failed(step, error);
    }
    const seconds = (performance.now() - startedMs) / 1000;
    this.#reports.push(report(step, { ...outcome, seconds }));
    this.#event(step, outcome.state, outcome.detail);
    return outcome.state === "done" || outcome.state === "ran";
  }

  async #setUpStep(
    step: Step,
    { shells, session }: { shells: HostShells; session: Session },
  ): Promise<StepOutcome> {
    const shell = this.#shell(step, shells);
    const probe = await checkStep(step, shell, this.#context);
    if (probe.state === "refused") return probe;
    const entry = this.#entry(step, session.manifest, probe.detail);
    const known = entry && earlierEntry(session.manifest, entry);
    if (probe.state === "done") {
      if (known?.state === "begun") {
        await this.#record(known, { shell, session });
      }
      return probe;
    }
    if (entry) await session.save(withEntry(session.manifest, entry));
    this.#event(step, "running", probe.detail);
    const { detail } = await doStep(step, { shell, was: probe.detail }, {
      ...this.#context,
      onLine: (line) => this.#event(step, "running", line),
      onProgress: (progress) =>
        this.#context.onEvent?.({
          host: this.#plan.name,
          step: step.id,
          state: "running",
          detail: "",
          progress,
        }),
    });
    if (entry) await this.#record(entry, { shell, session });
    return { state: "ran", detail };
  }

  /**
   * Returns the manifest entry for a step; `undefined` if there is nothing to record. If an earlier run of setup
   * created the item, its entry is merged with the new one.
   */
  #entry(step: Step, manifest: Manifest, was: string): Entry | undefined {
    const place = step.made?.("absent");
    if (place === undefined) return undefined;
    const entry: Entry = {
      step: step.id,
      within: step.inside ? wordsWithin(this.#plan.place) : [],
      made: place,
      state: "begun",
      fingerprint: "",
      at: this.#context.now().toISOString(),
    };
    const earlier = earlierEntry(manifest, entry);
    const made = earlier ? mergeMade(earlier.made, place) : step.made?.(was);
    return made && { ...entry, made };
  }

  async #record(
    entry: Entry,
    { shell, session }: { shell: Shell; session: Session },
  ): Promise<void> {
    const fingerprint = entry.made.kind === "download"
      ? await fingerprintOf(entry.made.dir, { shell })
      : "";
    await session.save(
      withEntry(session.manifest, { ...entry, state: "done", fingerprint }),
    );
  }

  #shell(step: Step, shells: HostShells): Shell {
    return step.inside ? shellAt(shells, this.#plan.place) : shells.host;
  }

  #failed(step: Step, error: unknown): StepOutcome {
    const own = `${this.#plan.name}: ${step.id}: `;
    const message = this.#message(error);
    const detail = message.startsWith(own)
      ? message.slice(own.length)
      : message;
    const stopped = this.#context.signal.aborted;
    return { state: stopped ? "stopped" : "failed", detail };
  }

  #message(error: unknown): string {
    if (this.#context.signal.aborted) {
      return "stopped; run the same command again to continue";
    }
    if (error instanceof TypeError || !(error instanceof Error)) throw error;
    return messageOf(error);
  }

  #event(step: Step | undefined, state: StepState, detail: string): void {
    const host = this.#plan.name;
    this.#context.onEvent?.({ host, step: step?.id, state, detail });
  }
}

interface StepOutcome {
  readonly state: StepState;
  readonly detail: string;
}

function report(
  { id, title }: Step,
  rest: StepOutcome & { readonly seconds: number },
): StepReport {
  return { id, title, ...rest };
}

/**
 * Merges the entries of an earlier run and of this run, so that undoing the step restores the original state and not an
 * intermediate state.
 */
function mergeMade(earlier: Made, now: Made): Made {
  if (earlier.kind === "moved" && now.kind === "clone") {
    return { ...earlier, to: now.commit };
  }
  if (earlier.kind === "package" && now.kind === "package") {
    return { ...now, was: earlier.was };
  }
  return now;
}
