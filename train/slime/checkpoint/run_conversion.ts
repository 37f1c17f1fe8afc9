/**
 * Runs `deno task convert`: inspects the machine that holds the checkpoint, plans the conversion, and then converts and
 * verifies there.
 */

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

/** A request to convert or verify a checkpoint on a machine. */
export interface ConversionRequest {
  readonly from: string;
  /** The hint of the error if `from` is not a checkpoint. */
  readonly absentHint?: string | undefined;
  /**
   * The target of the conversion, or the checkpoint to compare `from` with; `undefined` if `from` is only inspected, or
   * if slime loads the recipe's model directly.
   */
  readonly to: string | undefined;
  /**
   * The directory of the trained model in Hugging Face's format, needed to convert from Megatron's format; `undefined`
   * if not set.
   */
  readonly origin: string | undefined;
  /** The recipe's model; `undefined` to use the model that the directory describes. */
  readonly model: ModelName | undefined;
  /** The paths of slime, Megatron-LM, and a Python interpreter with the packages of both. */
  readonly paths: {
    readonly slime: string;
    readonly megatron: string;
    readonly python: string;
  };
  /** The host to run on; `undefined` for this machine. */
  readonly host: Host | undefined;
  /** This machine's entry in hosts.yaml; `undefined` if there is none. */
  readonly here: Host | undefined;
  /** The number of GPUs that share the work. Default: all available. */
  readonly gpus: number | undefined;
  /** Whether to replace an existing target, without comparing it with the source first. */
  readonly force: boolean;
  readonly verify: boolean;
}

/** The outcome of {@linkcode runConversion}. */
export type ConversionOutcome =
  /** No conversion is needed, because slime loads the model directly. */
  | { readonly state: "not_needed"; readonly probe: Probe }
  | {
    readonly state: "planned";
    readonly plan: ConversionPlan;
    readonly probe: Probe;
    /** The shell that would run the commands. */
    readonly shell: Shell;
  }
  | Converted & { readonly plan: ConversionPlan };

/**
 * Compares `from` with `to`, or inspects only `from` if there is no `to`.
 * @throws {ConfigError} If neither the request nor a directory describes the model.
 * @throws {HostError} If the host has no taulab, or cannot be reached.
 */
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
 * Converts a checkpoint, or reports that no conversion is needed.
 * @throws {ConfigError} If a setting is missing, a path does not exist, a directory holds a model other than the
 * recipe's, or the disk has too little free space; or if the target exists, `force` is not set, and the target differs
 * or cannot be verified.
 * @throws {HostError} If the machine cannot be inspected, `config.json` cannot be read, or the tool fails.
 * @throws {DataError} If the result does not match the model, or the model's `config.json` is damaged or not supported.
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

/** Removes trailing slashes from a path. A path on this machine is also resolved against the current directory. */
function absolute({ host }: ConversionRequest, path: string): string {
  return host === undefined
    ? resolve(path)
    : path.replace(/(?<=[^/])\/+$|(?<=^\/)\/+$/, "");
}

/**
 * Returns the outcome for a recipe that needs no conversion, because slime loads the model's directory directly.
 * @throws {ConfigError} If there is no recipe, the source is not in Hugging Face's format, or the installed slime
 * cannot load it directly.
 */
function notNeeded(
  { from, model }: ConversionRequest,
  probe: Probe,
): ConversionOutcome {
  if (model === undefined || probe.format !== "hf") {
    throw new ConfigError("No target directory is set", {
      hint: "pass --to DIR",
    });
  }
  if (!probe.direct && probe.tool) {
    throw new ConfigError(
      `The recipe's model.reference is null, but the installed slime is too old to load "${from}" directly`,
      {
        hint:
          'pass a directory with --to and set model.reference to it, or update slime with "deno task setup"',
      },
    );
  }
  return { state: "not_needed", probe };
}

function originOf(request: ConversionRequest, { input }: Probe): string {
  if (request.origin !== undefined) return absolute(request, request.origin);
  throw new ConfigError(
    `"${input}" lacks the config and tokenizer that the converted model needs`,
    {
      hint:
        "pass the directory of the trained model with --origin, or a recipe with --recipe",
    },
  );
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
        'run "deno task setup", or set the container (hosts.yaml) or directory (paths.slime) of slime',
    },
  );
}

/**
 * Returns the shape of the recipe's model. Without a recipe, returns the shape that the directory describes.
 * @throws {ConfigError} If the directory describes a model other than the recipe's.
 * @throws {HostError} If `config.json` cannot be read.
 * @throws {DataError} If `config.json` is damaged, or its model is not supported.
 */
async function shapeOf(
  { model }: ConversionRequest,
  { tools, directory }: { tools: Shell; directory: string },
): Promise<CheckpointShape> {
  const path = `${directory}/config.json`;
  const text = await outputOf(tools, {
    script: quoteWords(["cat", path]),
    what: `Cannot read "${path}" on ${tools.name}`,
    hint: "pass the model's directory with --from or --origin",
  });
  if (model === undefined) return shapeOfConfig(text, path);
  const shape = MODEL_SHAPES[model];
  const [wrong] = shapeMismatches(shape, { text, path });
  if (wrong === undefined) return fullShape(shape);
  throw new ConfigError(
    `"${path}" does not match ${model}: ${wrong.key} is ${
      wrong.found ?? "missing"
    }, but the recipe's model has ${wrong.expected}`,
    {
      hint:
        "pass the model's recipe with --recipe, or omit --recipe to use config.json",
    },
  );
}
