/** What `deno task convert` does: looks at the place, plans, converts and verifies there. */

import { resolve } from "node:path";
import { ConfigError } from "../../../env/errors.ts";
import { openHost } from "../hosts/host_shells.ts";
import type { Host } from "../hosts/hosts_file.ts";
import { outputOf, quoteWords, type Shell } from "../hosts/shell.ts";
import { placedShell } from "../setup/placed_shell.ts";
import {
  MODEL_SHAPES,
  type ModelName,
  shapeMismatches,
} from "../model_shapes.ts";
import type { CheckpointShape } from "./checkpoint_layout.ts";
import {
  type ConversionEvents,
  convert,
  type Converted,
} from "./conversion.ts";
import { type ConversionPlan, planConversion } from "./convert_plan.ts";
import { type Probe, probeConversion } from "./convert_probe.ts";
import { fullShape, shapeOfConfig } from "./shape.ts";
import { type Verified, verifierOf } from "./verifier.ts";

/** What is to be converted or verified, and where. */
export interface ConversionRequest {
  readonly from: string;
  /** What to do where `from` is no checkpoint. */
  readonly absentHint?: string | undefined;
  /** Missing where one checkpoint is looked at, or where a recipe loads the model itself. */
  readonly to: string | undefined;
  /** The model that was trained; needed back from Megatron's format. */
  readonly origin: string | undefined;
  /** A recipe's model; `undefined` is what the directory says. */
  readonly model: ModelName | undefined;
  /** Of slime, Megatron-LM and the interpreter that has both. */
  readonly paths: {
    readonly slime: string;
    readonly megatron: string;
    readonly python: string;
  };
  /** Where it is done; `undefined` is this machine. */
  readonly host: Host | undefined;
  /** What hosts.yaml says of this machine. */
  readonly here: Host | undefined;
  /** GPUs that share the work. Default: all that are there. */
  readonly gpus: number | undefined;
  /** Replace a target that is there and differs. */
  readonly force: boolean;
  readonly verify: boolean;
}

/** What became of a request. */
export type ConversionOutcome =
  /** slime loads the model itself. */
  | { readonly state: "not_needed"; readonly probe: Probe }
  | {
    readonly state: "planned";
    readonly plan: ConversionPlan;
    readonly probe: Probe;
    /** Where the commands would run. */
    readonly shell: Shell;
  }
  | Converted & { readonly plan: ConversionPlan };

/** Compares `from` with `to`, or looks at `from` alone. @throws As `verifierOf`. */
export async function runVerification(
  { from, to, host, here, model }: ConversionRequest,
  { signal, onVerify }: ConversionEvents = {},
): Promise<Verified> {
  await using shells = openHost(host);
  const shell = placedShell(shells, host ?? here);
  const options = { host, shell, model, signal };
  return await verifierOf({ ...options, onProgress: onVerify })(from, to);
}

/**
 * Converts, or says that there is nothing to convert.
 * @throws {ConfigError} If something is not named, is not there, or is of another model than the recipe's.
 * @throws As `convert`.
 */
export async function runConversion(
  request: ConversionRequest,
  options: ConversionEvents & { readonly dryRun?: boolean } = {},
): Promise<ConversionOutcome> {
  const { host, paths, model } = request;
  const { signal } = options;
  await using shells = openHost(host);
  const tools = placedShell(shells, host ?? request.here);
  const [from, to] = [absolute(request, request.from), request.to];
  const probe = await probeConversion(tools, {
    from,
    to: to && absolute(request, to),
    slime: paths.slime,
    absentHint: request.absentHint,
    signal,
  });
  if (to === undefined) return notNeeded(request, probe);
  const origin = probe.format === "hf" ? from : originOf(request, probe);
  const shape = await shapeOf(request, { tools, directory: origin });
  const plan = planConversion({
    ...paths,
    format: probe.format,
    from,
    input: probe.input,
    to: absolute(request, to),
    origin,
    shape,
    gpus: request.gpus ?? Math.max(1, probe.gpus),
  });
  if (options.dryRun) return { state: "planned", plan, probe, shell: tools };
  refuseWithoutTool(probe, { tools, slime: paths.slime });
  const verify = verifierOf({
    ...{ host, shell: tools, model, shape, signal },
    onProgress: options.onVerify,
  });
  const converted = await convert(plan, probe, {
    shell: tools,
    verify: request.verify ? verify : undefined,
    force: request.force,
    ...options,
  });
  return { ...converted, plan };
}

/** Paths of this machine are relative to where the command runs; none ends in a slash. */
function absolute({ host }: ConversionRequest, path: string): string {
  return host === undefined
    ? resolve(path)
    : path.replace(/(?<=[^/])\/+$|(?<=^\/)\/+$/, "");
}

/** A recipe without a reference lets slime load the model itself. */
function notNeeded(
  { from, model }: ConversionRequest,
  probe: Probe,
): ConversionOutcome {
  if (model === undefined || probe.format !== "hf") {
    throw new ConfigError("Say where the result shall be, by --to DIR");
  }
  if (!probe.direct && probe.tool) {
    throw new ConfigError(
      `The recipe's model.reference is null, and this slime is too old to load "${from}" by itself`,
      {
        hint:
          'name a directory by --to, and as model.reference, or update slime by "deno task setup"',
      },
    );
  }
  return { state: "not_needed", probe };
}

function originOf(request: ConversionRequest, { input }: Probe): string {
  if (request.origin !== undefined) return absolute(request, request.origin);
  throw new ConfigError(`"${input}" has no config and no tokenizer`, {
    hint:
      "name the model that was trained by --origin DIR, or a recipe by --recipe",
  });
}

function refuseWithoutTool(
  { tool }: Probe,
  { tools, slime }: { tools: Shell; slime: string },
): void {
  if (tool) return;
  throw new ConfigError(
    `There is no slime in "${slime}" on ${tools.name}: tools/convert_hf_to_torch_dist.py is missing`,
    {
      hint:
        'set it up by "deno task setup", name its container in hosts.yaml, or its directory by --set paths.slime=DIR',
    },
  );
}

/** The recipe's model, if the directory is one of it; without a recipe what the directory says. */
async function shapeOf(
  { model }: ConversionRequest,
  { tools, directory }: { tools: Shell; directory: string },
): Promise<CheckpointShape> {
  const path = `${directory}/config.json`;
  const text = await outputOf(tools, {
    script: quoteWords(["cat", path]),
    what: `"${path}" cannot be read on ${tools.name}`,
    hint: "name the model's directory",
  });
  if (model === undefined) return shapeOfConfig(text, path);
  const shape = MODEL_SHAPES[model];
  const [wrong] = shapeMismatches(shape, { text, path });
  if (wrong === undefined) return fullShape(shape);
  throw new ConfigError(
    `"${path}" is not of ${model}: ${wrong.key} is ${wrong.found}, and the recipe's model has ${wrong.expected}`,
    {
      hint:
        "name the right model by --recipe, or omit it to take what config.json says",
    },
  );
}
