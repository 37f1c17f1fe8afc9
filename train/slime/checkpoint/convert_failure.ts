/** Explains why a converter failed, based on its last output. */

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
    "find the tensor with deno task convert --verify --from DIR, and download the model again",
  ],
  [
    /No safetensors checkpoint found/,
    "the model's directory has no *.safetensors",
    "download the model",
  ],
  [
    /Output directory .* already exists/,
    "another conversion is writing there",
    "wait until it ends",
  ],
  [
    /must be less than or equal to number of layers/,
    "there are more GPUs than layers",
    "pass a smaller --gpus",
  ],
  [
    /Cannot find a valid pipeline model parallel size/,
    "the layers cannot be split over that many GPUs",
    "pass another --gpus; 1 always works",
  ],
  [
    /No module named/,
    "the interpreter lacks packages that slime needs",
    'install them with "deno task setup", set the container in hosts.yaml, or set the interpreter with --set paths.python=PATH',
  ],
  [
    /address already in use|EADDRINUSE/i,
    "port 12355 is taken by another conversion",
    "wait until it ends",
  ],
  [
    /No space left on device|Disk quota exceeded/,
    "the disk is full",
    "free some space",
  ],
  [
    /CUDA out of memory|OutOfMemoryError/,
    "the GPU has too little free memory",
    "stop the processes that use it, or pass a larger --gpus",
  ],
  [
    /no NVIDIA (driver|GPU)|No CUDA GPUs are available|CUDA driver|not compiled with CUDA/i,
    "there is no GPU that PyTorch can use, and this conversion needs one",
    "run it on a host that has one with --host NAME",
  ],
  [
    /flock: (command )?not found|flock.{0,200}No such file/,
    "flock is missing",
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
    { hint: `${hint}, then run the same command again` },
  );
}

function explain(
  { code, stdout, stderr }: ShellOutput,
  { partial }: ConversionPlan,
): readonly [cause: string, hint: string] {
  if (code === BUSY) {
    return [`another conversion is writing "${partial}"`, "wait until it ends"];
  }
  const said = `${stdout}\n${stderr}`;
  const known = EXPLANATIONS.find(([words]) => words.test(said));
  if (known) return [known[1], known[2]];
  if (code === 137) {
    return [
      "it was killed, most likely because memory ran out",
      "check dmesg for the OOM killer",
    ];
  }
  const cause = code === 127 ? "a program is missing" : "the tool failed";
  return [cause, "fix the error in its last output"];
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-LAST_LINES)
    .map((line) => `  ${line}`).join("\n").trimEnd();
}
