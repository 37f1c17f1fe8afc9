/**
 * Creates notebook output for the plan of a slime run: its command line, the values derived from the recipe, and its
 * memory use.
 */

import * as Plot from "@observablehq/plot";
import { quoteWords } from "../../train/slime/hosts/shell.ts";
import type { TrainingMemory } from "../../train/slime/plan/run_memory.ts";
import type { LaunchPlan } from "../../train/slime/plan/plan_types.ts";
import { stackedBars } from "./figure.ts";
import { html } from "./html.ts";
import { Rich } from "./rich.ts";
import { table } from "./table.ts";

/** Shows the command line of slime's script in shell syntax, one flag per line. */
export function showCommand({ script, train }: LaunchPlan): Rich {
  const lines = [
    `python3 ${script}`,
    ...train.map(({ flag, values }) => `  ${quoteWords([flag, ...values])}`),
  ].join(" \\\n");
  return new Rich({
    html: html`<pre style="max-height:none">${lines}</pre>`,
    text: lines,
  });
}

/** Shows each flag with the recipe key from which it is derived. */
export function showFlags(
  { train }: LaunchPlan,
  { about, limit = 12 }: {
    /** A string that the flag or the recipe key must contain. Default: all flags are shown. */
    readonly about?: string;
    readonly limit?: number;
  } = {},
): Rich {
  const wanted = train.filter(({ flag, from }) =>
    about === undefined || flag.includes(about) || from.includes(about)
  );
  return table(
    wanted.map(({ flag, values, from }) => ({
      flag,
      values: values.join(" "),
      "recipe key": from,
    })),
    { limit },
  );
}

/** Shows the values that are derived from the recipe. */
export function showDerived({ derived, forecast, tokens }: LaunchPlan): Rich {
  return table([
    ["episodes per rollout", derived.samples],
    ["optimizer steps per rollout", derived.optimizerSteps],
    ["rollouts", derived.rollouts],
    ["epochs over the training rows", derived.epochs],
    ["data parallel", derived.dataParallel],
    ["engines", derived.engines],
    ["concurrent episodes", derived.concurrency],
    ["expected tokens per rollout", Math.round(tokens.expected)],
    ["episodes in the whole run", Math.round(forecast.run.episodes)],
  ].map(([what, value]) => ({ what: what as string, value: value as number })));
}

const PARTS = [
  "weights",
  "gradients",
  "optimizer",
  "activations",
  "logits",
  "beside",
] as const satisfies readonly (keyof TrainingMemory)[];

/** Draws the parts of each plan's GPU memory use during training, and the capacity of the largest GPU. */
export function memoryFigure(
  plans: readonly (readonly [name: string, LaunchPlan])[],
): Rich {
  const parts = plans.flatMap(([of, { memory }]) =>
    PARTS.map((kind) => ({ of, kind, value: memory.training[kind] / 1e9 }))
  );
  const gpu = Math.max(...plans.map(([, { memory }]) => memory.gpu)) / 1e9;
  return stackedBars(parts, {
    alt: plans.map(([name, { memory: { training, gpu } }]) =>
      `${name}: ${(training.total / 1e9).toFixed(0)} GB of ${
        (gpu / 1e9).toFixed(0)
      }, ${training.total <= gpu ? "fits" : "does not fit"}`
    ).join("; "),
    height: 70 + 34 * plans.length,
    marginLeft: 170,
    x: { label: "GB per GPU during training", grid: true },
    marks: [Plot.ruleX([gpu], { stroke: "#cf222e", strokeWidth: 2 })],
  });
}
