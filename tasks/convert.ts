/**
 * `deno task convert`: uses slime's tools to convert checkpoints between Hugging Face's format and Megatron's, and
 * verifies that the result is the same model.
 */

import type { ConversionEvents } from "../train/slime/checkpoint/conversion.ts";
import {
  type ConversionRequest,
  runConversion,
  runVerification,
} from "../train/slime/checkpoint/run_conversion.ts";
import { reportJson } from "../train/slime/checkpoint/verifier.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";
import {
  type ConvertFlags,
  convertFlags,
  convertRequest,
} from "./_convert_flags.ts";
import {
  convertLine,
  outcomeText,
  reportText,
  verifyLine,
} from "./_convert_view.ts";

async function run(
  flags: ConvertFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const request = await convertRequest(flags);
  return flags.verify
    ? await verify(request, context)
    : await convert(request, flags, context);
}

async function verify(
  request: ConversionRequest,
  context: TaskContext,
): Promise<TaskResult> {
  const verified = await runVerification(request, eventsOf(context));
  context.terminal.endProgress();
  context.terminal.print(reportText(verified));
  return {
    json: reportJson(verified),
    exitCode: verified.equal ? EXIT.done : EXIT.failed,
  };
}

async function convert(
  request: ConversionRequest,
  { dryRun }: ConvertFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const outcome = await runConversion(request, {
    ...eventsOf(context),
    dryRun,
  });
  context.terminal.endProgress();
  context.terminal.print(outcomeText(outcome, request));
  const { state } = outcome;
  if (state === "not_needed") {
    const { direct } = outcome.probe;
    return { json: { state, from: request.from, direct } };
  }
  const { from, to, format, words } = outcome.plan;
  const rest = state === "planned"
    ? { probe: outcome.probe }
    : { verified: outcome.verdict !== undefined };
  return { json: { from, to, format, words, state, ...rest } };
}

function eventsOf({ terminal, signal }: TaskContext): ConversionEvents {
  return {
    signal,
    onStage: (text) => terminal.note(text),
    onConvert: (progress) => terminal.progress(convertLine(progress)),
    onVerify: (progress) => terminal.progress(verifyLine(progress)),
  };
}

export const task = await main(import.meta, {
  name: "convert",
  summary:
    "Convert a model between Hugging Face's format and Megatron's with slime's tools, and verify every tensor",
  flags: convertFlags,
  examples: [
    {
      command:
        "deno task convert --from /root/Qwen3-4B --to /root/Qwen3-4B_torch_dist",
      does:
        "convert to Megatron's format; run it again to resume, or to check that it is done",
    },
    {
      command:
        "deno task convert --verify --from /root/Qwen3-4B --to /root/Qwen3-4B_torch_dist",
      does: "compare two checkpoints tensor by tensor, in either order",
    },
    {
      command:
        "deno task convert --verify --from /root/Qwen3-4B --recipe qwen3-4b",
      does:
        "check that a download is complete and has the shape of the recipe's model",
    },
    {
      command:
        "deno task convert --from runs/a1/checkpoints --to /root/trained --recipe qwen3-4b --host gpu1",
      does: "convert back to Hugging Face's format, on a host",
    },
  ],
  notes:
    "Exit status 1 means that a tensor is missing, differs, or has another shape. slime skips tensors that a checkpoint lacks and trains them from random values.",
  interruptNote:
    "Stopping; run the same command again to resume. Press Ctrl-C again to stop immediately",
  run,
});
