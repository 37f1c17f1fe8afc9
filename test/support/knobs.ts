/**
 * Registers tests of the settings of generated worlds. Each test checks a figure of the tasks at two values of a
 * setting.
 */

import assert from "node:assert/strict";
import type { GeneratedDataset } from "../../env/generated/generated.ts";
import type { AirlineRequest } from "../../env/domains/airline/goal/request.ts";
import type { RetailRequest } from "../../env/domains/retail/goal/request.ts";
import type { Goal, Request } from "../../env/domains/shared/goal/goal.ts";
import type { Task } from "../../env/types.ts";

/** A request of any domain, with the fields of all domains. */
export type AnyRequest =
  & Request
  & Omit<RetailRequest, "intent" | "before">
  & Omit<AirlineRequest, "intent" | "before">;

/** A task of any domain. */
export type AnyTask = Task<Goal<AnyRequest>>;

/** A world with any options. */
export type AnyWorld = GeneratedDataset<unknown, AnyTask>;

/** The accepted range of a figure. */
export type Bounds = readonly [least: number, most: number];

/**
 * A test case for a setting of generated worlds. Worlds are generated with two values of the setting (`low` and
 * `high`), and `figure` must be within the accepted range for each.
 */
export interface Knob<O> {
  readonly does: string;
  readonly low: O;
  readonly high: O;
  /** The accepted ranges of the figure for the options `low` and `high`. */
  readonly wanted: readonly [low: Bounds, high: Bounds];
  figure(world: AnyWorld): number;
}

/** Registers a test for each test case. */
export function knobTests<O>(
  name: string,
  { make, knobs }: {
    /** Generates a world with 240 train tasks. */
    readonly make: (options: O) => Promise<AnyWorld>;
    readonly knobs: readonly Knob<O>[];
  },
): void {
  for (const { does, low, high, wanted, figure } of knobs) {
    Deno.test(`${name}: ${does}`, async () => {
      for (const [i, options] of [low, high].entries()) {
        const value = figure(await make(options));
        const [least, most] = wanted[i]!;
        assert.ok(
          value >= least && value <= most,
          `${JSON.stringify(options)} gives ${value}, not ${least} to ${most}`,
        );
      }
    });
  }
}

/** Returns the mean of values; `NaN` for an empty list. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Returns a function that computes the mean of a figure over the train tasks' requests. Only requests for which
 * `counts` returns `true` are included.
 */
export function ofRequests(
  figure: (request: AnyRequest, task: AnyTask) => number,
  counts: (request: AnyRequest) => boolean = () => true,
): (world: AnyWorld) => number {
  return (world) =>
    mean(
      world.tasks("train").flatMap((task) =>
        task.goal!.requests.filter(counts).map((request) =>
          figure(request, task)
        )
      ),
    );
}

/** Returns a function that computes the mean of a figure over train tasks. */
export function ofTasks(
  figure: (task: AnyTask, world: AnyWorld) => number,
): (world: AnyWorld) => number {
  return (world) =>
    mean(world.tasks("train").map((task) => figure(task, world)));
}
