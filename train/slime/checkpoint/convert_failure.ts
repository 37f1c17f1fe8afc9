/** What a converter's last words mean, and how to fix it. */

import { HostError } from "../../../env/errors.ts";
import type { ShellOutput } from "../hosts/shell.ts";
import { BUSY, type ConversionPlan } from "./convert_plan.ts";

type Explanation = readonly [said: RegExp, cause: string, hint: string];

/** Words of a tool, what they mean and what to do. The first that is found counts. */
const EXPLANATIONS: readonly Explanation[] = [
  [
    /Unsupported HuggingFace model type/,
    "this slime does not know the model's type",
    "see model_type in its config.json, and slime's commit",
  ],
  [
    /Shape mismatch loading/,
    "the model's arguments are of another model than its weights",
    "name the right recipe by --recipe",
  ],
  [
    /HuggingFace checkpoint does not contain/,
    "the model's directory lacks a tensor",
    "see which by deno task convert --verify --from DIR, and download it again",
  ],
  [
    /No safetensors checkpoint found/,
    "the model's directory has no *.safetensors",
    "download the model",
  ],
  [
    /Output directory .* already exists/,
    "another conversion writes there",
    "wait for it",
  ],
  [
    /must be less than or equal to number of layers/,
    "there are more GPUs than layers",
    "give fewer by --gpus",
  ],
  [
    /Cannot find a valid pipeline model parallel size/,
    "the layers cannot be shared so",
    "give another number by --gpus, 1 always works",
  ],
  [
    /No module named/,
    "the interpreter lacks what slime needs",
    'set it up by "deno task setup", name its container in hosts.yaml, or name the interpreter by --set paths.python=PATH',
  ],
  [
    /address already in use|EADDRINUSE/i,
    "port 12355 is taken by another conversion",
    "wait for it",
  ],
  [
    /No space left on device|Disk quota exceeded/,
    "the disk is full",
    "free some space",
  ],
  [
    /CUDA out of memory|OutOfMemoryError/,
    "the GPU is too full",
    "stop what runs on it, or share the work by --gpus",
  ],
  [
    /no NVIDIA (driver|GPU)|No CUDA GPUs are available|CUDA driver|not compiled with CUDA/i,
    "there is no GPU that PyTorch can use, and this conversion needs one",
    "run it on one by --host NAME",
  ],
  [
    /flock: (command )?not found|flock.{0,200}No such file/,
    "flock is missing",
    "install util-linux",
  ],
];

/** Lines of the tool's output that the message quotes. */
const LAST_LINES = 12;

/** A tool that failed, with its last words and how to go on. */
export function conversionError(
  shellName: string,
  { plan, output }: { plan: ConversionPlan; output: ShellOutput },
): HostError {
  const { code, stdout, stderr } = output;
  const [cause, hint] = explain(output, plan);
  const last = lastLines(stderr.trim() === "" ? stdout : stderr);
  return new HostError(
    `The conversion of "${plan.from}" failed on ${shellName} with code ${code}: ${cause}`,
    { hint: `${hint}, then run the same command again\n${last}`.trimEnd() },
  );
}

function explain(
  { code, stdout, stderr }: ShellOutput,
  { partial }: ConversionPlan,
): readonly [cause: string, hint: string] {
  if (code === BUSY) {
    return [`another conversion is writing "${partial}"`, "wait for it"];
  }
  const said = `${stdout}\n${stderr}`;
  const known = EXPLANATIONS.find(([words]) => words.test(said));
  if (known) return [known[1], known[2]];
  if (code === 137) {
    return ["it was killed, most often because memory ran out", "see dmesg"];
  }
  const cause = code === 127 ? "a program is missing" : "its tool failed";
  return [cause, "see its last words"];
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-LAST_LINES)
    .map((line) => `  ${line}`).join("\n").trimEnd();
}
