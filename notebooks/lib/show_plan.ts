/**
 * How a notebook shows the plan of a slime run: its command line, what follows from the recipe, the memory it takes.
 */

import * as Plot from "@observablehq/plot";
import { quoteWords } from "../../train/slime/hosts/shell.ts";
import type { TrainingMemory } from "../../train/slime/plan/run_memory.ts";
import type { LaunchPlan } from "../../train/slime/plan/plan_types.ts";
import { stackedBars } from "./figure.ts";
import { html } from "./html.ts";
import { Rich } from "./rich.ts";
import { table } from "./table.ts";

/** The command line of slime's script, as a shell reads it, a flag a line. */
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

/** Where flags come from: the recipe's key of each. */
export function showFlags(
  { train }: LaunchPlan,
  { about, limit = 12 }: {
    /** Only those whose name or key has this in it. */
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
      "from the recipe's": from,
    })),
    { limit },
  );
}

/** What follows from the recipe, in numbers. */
export function showDerived({ derived, forecast, tokens }: LaunchPlan): Rich {
  return table([
    ["episodes a rollout", derived.samples],
    ["optimizer steps a rollout", derived.optimizerSteps],
    ["rollouts", derived.rollouts],
    ["times through the training rows", derived.epochs],
    ["data parallel", derived.dataParallel],
    ["engines", derived.engines],
    ["episodes at once", derived.concurrency],
    ["tokens of a rollout, expected", Math.round(tokens.expected)],
    ["episodes of the run", Math.round(forecast.run.episodes)],
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

/** What a GPU holds while it trains, by part, beside what it has; of some plans. */
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
    x: { label: "GB of a GPU while it trains", grid: true },
    marks: [Plot.ruleX([gpu], { stroke: "#cf222e", strokeWidth: 2 })],
  });
}
