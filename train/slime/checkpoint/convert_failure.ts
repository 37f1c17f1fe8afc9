/** Explains why a conversion failed, based on the tool's output and exit status. */

import { HostError } from "../../../env/errors.ts";
import type { ShellOutput } from "../hosts/shell.ts";
import { BUSY, type ConversionPlan } from "./convert_plan.ts";

type Explanation = readonly [said: RegExp, cause: string, hint: string];

/** Patterns in the output of a tool, each with an explanation and a fix. The first pattern that matches applies. */
const EXPLANATIONS: readonly Explanation[] = [
  [
    /Unsupported HuggingFace model type/,
    "this version of slime does not support the model's type",
    "check model_type in the model's config.json, and slime's commit",
  ],
  [
    /Shape mismatch loading/,
    "the model's arguments do not match its weights",
    "pass the model's recipe with --recipe",
  ],
  [
    /HuggingFace checkpoint does not contain/,
    "the model's directory lacks a tensor",
    'find the tensor with "deno task convert --verify --from DIR", and download the model again',
  ],
  [
    /No safetensors checkpoint found/,
    "the model's directory contains no *.safetensors file",
    "download the model",
  ],
  [
    /Output directory .* already exists/,
    "another conversion is writing to the output directory",
    "wait until that conversion ends",
  ],
  [
    /must be less than or equal to number of layers/,
    "there are more GPUs than layers",
    "pass a smaller --gpus",
  ],
  [
    /Cannot find a valid pipeline model parallel size/,
    "the model's layers cannot be divided among the GPUs",
    "pass --gpus 1, or a divisor of the number of layers",
  ],
  [
    /No module named/,
    "the Python interpreter lacks packages that slime needs",
    'run "deno task setup", or choose a container (hosts.yaml) or interpreter (paths.python) that has the packages',
  ],
  [
    /address already in use|EADDRINUSE/i,
    "port 12355 is in use, probably by another conversion",
    "wait until that conversion ends",
  ],
  [
    /No space left on device|Disk quota exceeded/,
    "the disk is full",
    "free some space",
  ],
  [
    /CUDA out of memory|OutOfMemoryError/,
    "the GPU has too little free memory",
    "stop the other processes on the GPU, or pass a larger --gpus",
  ],
  [
    /no NVIDIA (driver|GPU)|No CUDA GPUs are available|CUDA driver|not compiled with CUDA/i,
    "this conversion needs a GPU, but PyTorch finds none",
    "pass --host NAME with a host that has a GPU",
  ],
  [
    /flock: (command )?not found|flock.{0,200}No such file/,
    "flock is not installed",
    "install util-linux",
  ],
];

/** The number of output lines to quote in the message. */
const LAST_LINES = 12;

/** Creates the error for a failed conversion, with the tool's last output and a fix. */
export function conversionError(
  shellName: string,
  { plan, output }: { plan: ConversionPlan; output: ShellOutput },
): HostError {
  const { code, stdout, stderr } = output;
  const [cause, hint] = explain(output, plan);
  const last = lastLines(stderr.trim() === "" ? stdout : stderr);
  return new HostError(
    `The conversion of "${plan.from}" failed on ${shellName} with exit status ${code}: ${cause}\n${last}`
      .trimEnd(),
    { hint: `${hint}, then run the command again` },
  );
}

function explain(
  { code, stdout, stderr }: ShellOutput,
  { partial }: ConversionPlan,
): readonly [cause: string, hint: string] {
  if (code === BUSY) {
    return [
      `another conversion is writing to "${partial}"`,
      "wait until that conversion ends",
    ];
  }
  const said = `${stdout}\n${stderr}`;
  const known = EXPLANATIONS.find(([words]) => words.test(said));
  if (known) return [known[1], known[2]];
  if (code === 137) {
    return [
      "the tool was killed, most likely because memory ran out",
      "check dmesg for the OOM killer and free some memory",
    ];
  }
  const cause = code === 127 ? "a program was not found" : "the tool failed";
  return [cause, "fix the error in the tool's last output"];
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-LAST_LINES)
    .map((line) => `  ${line}`).join("\n").trimEnd();
}
