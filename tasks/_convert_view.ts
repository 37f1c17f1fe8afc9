/** Formats conversions and verifications of checkpoints for a terminal. */

import type { ConvertProgress } from "../train/slime/checkpoint/conversion.ts";
import type { ConversionPlan } from "../train/slime/checkpoint/convert_plan.ts";
import type {
  ConversionOutcome,
  ConversionRequest,
} from "../train/slime/checkpoint/run_conversion.ts";
import { tensorFaultText } from "../train/slime/checkpoint/tensor_fault.ts";
import { shapeText } from "../train/slime/checkpoint/tensor.ts";
import type {
  Verified,
  VerifyProgress,
} from "../train/slime/checkpoint/verifier.ts";
import type {
  TensorResult,
  VerifyReport,
} from "../train/slime/checkpoint/verify_checkpoint.ts";
import type { Shell } from "../train/slime/hosts/shell.ts";
import { quote, quoteWords } from "../train/slime/hosts/shell.ts";
import { bytes, count, duration } from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";

/**
 * Returns the report on a verification as text: a table of the compared tensors by kind, followed by faults, notes and
 * the verdict. If no checkpoint could be opened, lists only the faults.
 */
export function reportText({ report, seconds }: Verified): string {
  const { tensors, faults, notes, checkpoints } = report;
  const faultLines = faults.map((fault) => `✗ ${tensorFaultText(fault)}`);
  if (checkpoints.length === 0) return faultLines.join("\n");
  const kinds = Map.groupBy(tensors, ({ kind }) => kind);
  const rows = [...kinds].map(([kind, of]) => [
    kind,
    count(of.length),
    shapeText(of[0]!.shape),
    [...new Set(of.map(({ dtypes }) => dtypes.join(" ")))].join(", "),
    statusText(of),
  ]);
  const ignored = checkpoints.filter((one) => one.ignored.length > 0);
  return [
    table([["tensor", "count", "shape", "type", "state"], ...rows]),
    "",
    ...faultLines,
    ...notes.map((note) => `• ${note}`),
    ...ignored.map(({ path, ignored: [first, ...more] }) =>
      `• no weights in "${path}": ${first}${
        more.length === 0 ? "" : ` and ${count(more.length)} more`
      }`
    ),
    verdict(report, seconds),
  ].join("\n");
}

function statusText(tensors: readonly TensorResult[]): string {
  const words = {
    equal: "equal",
    rounded: "equal after rounding",
    whole: "intact",
    differs: "DIFFER",
    unreadable: "UNREADABLE",
  };
  const groups = Map.groupBy(tensors, ({ status }) => status);
  if (groups.size === 1) return words[tensors[0]!.status];
  return [...groups].map(([status, of]) => `${of.length} ${words[status]}`)
    .join(", ");
}

function verdict(
  { tensors, faults, checkpoints, bytes: read }: VerifyReport,
  seconds: number,
): string {
  const speed = `${count(tensors.length)} tensors, ${bytes(read)} in ${
    duration(seconds)
  }, ${bytes(read / seconds)}/s`;
  if (faults.length > 0) {
    return `\n${count(faults.length)} ${
      faults.length === 1 ? "fault" : "faults"
    }; ${speed}`;
  }
  return checkpoints.length === 2
    ? `\nThe checkpoints are equal: ${speed}`
    : `\nThe model is complete: ${speed}`;
}

/** Returns the text of the live line during a verification. */
export function verifyLine(
  { place, total, ...progress }: VerifyProgress,
): string {
  return total === 0
    ? `verifying on ${place}`
    : rateLine("verifying", { ...progress, total });
}

/** Returns the text of the live line during a conversion. */
export function convertLine(
  { bytes: done, expectedBytes: total, seconds }: ConvertProgress,
): string {
  return done === 0
    ? `converting: nothing on disk yet, ${duration(seconds)}`
    : rateLine("converting", { done: Math.min(done, total), total, seconds });
}

function rateLine(
  what: string,
  { done, total, seconds }: { done: number; total: number; seconds: number },
): string {
  const line = `${what}: ${bytes(done)} of ${bytes(total)}`;
  if (seconds < 2 || done === 0) return line;
  const rate = done / seconds;
  return `${line}, ${bytes(rate)}/s, ${duration((total - done) / rate)} left`;
}

/** Returns a description of a conversion's outcome. */
export function outcomeText(
  outcome: ConversionOutcome,
  { from }: ConversionRequest,
): string {
  if (outcome.state === "not_needed") {
    return `No conversion is needed: the recipe's model.reference is null, so slime loads "${from}" directly; to convert it anyway, pass --to DIR`;
  }
  if (outcome.state === "planned") return planText(outcome.plan, outcome.shell);
  const { plan, state, verdict } = outcome;
  const said = {
    up_to_date:
      `Nothing to do: "${plan.to}" is already the conversion of "${plan.from}"`,
    adopted: `"${plan.to}" is the complete result of an earlier attempt`,
    converted: `Converted "${plan.from}" to "${plan.to}"`,
  }[state];
  const how = verdict === undefined ? "not verified" : "every tensor is equal";
  return `${said}; ${how}`;
}

/** Returns the commands of a conversion, ready to paste into a shell. */
function planText(plan: ConversionPlan, shell: Shell): string {
  const { cwd, env } = plan.command;
  const settings = Object.entries(env ?? {})
    .map(([name, value]) => `${name}=${quote(value)}`);
  const tool = [...settings, quoteWords(plan.words)].join(" ");
  const describe = (script: string) => shell.describe({ script });
  return [
    `# convert; ${bytes(plan.expectedBytes)} of weights`,
    describe(`cd ${quote(cwd ?? ".")} && ${tool}`),
    "# compare every tensor, then rename",
    describe(quoteWords(["mv", plan.partial, plan.to])),
  ].join("\n");
}
