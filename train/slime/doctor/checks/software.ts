/**
 * Checks the software that is installed on the hosts: slime, Megatron-LM, and a PyTorch that works with the driver's
 * CUDA. The versions must be the same on all hosts.
 */

import { messageOf } from "../../../../env/errors.ts";
import type { Shell } from "../../hosts/shell.ts";
import {
  type Check,
  type CheckContext,
  differences,
  fail,
  type Observed,
  onEachHost,
  verdict,
  warn,
} from "../check.ts";
import { type HostPython, PACKAGES, SLIME_PARTS } from "../host_python.ts";
import { isAsync } from "../../plan/async_mode.ts";
import { parseDriverCuda } from "../nvidia_smi.ts";
import { DEFAULT_IMAGE } from "../../setup/pins.ts";

/** The `software` check. */
export const check: Check = {
  id: "software",
  order: 60,
  title:
    "every host has slime, Megatron and their packages, built for the driver's CUDA",
  timeoutMs: 120_000,
  async run(context) {
    const pythons = new Map<string, HostPython>();
    const found = await onEachHost(context.hosts, async (host) => {
      const python = await context.facts.python(host).catch(messageOf);
      if (typeof python === "string") return [noPython(python, context)];
      pythons.set(host.name, python);
      return verdict(
        [
          ...missing(python, context),
          ...cudaFaults(python, await driverCuda(host, context)),
        ],
        summary(python),
      );
    });
    return [...found, ...differences(context.hosts, pythons, compare)];
  },
};

function noPython(why: string, { config: { paths } }: CheckContext): Observed {
  return fail(
    `"${paths.python}" does not work on this host: ${why}`,
    `set paths.python to the interpreter that has slime, or install it with "deno task setup"`,
  );
}

const SETUP = `run "deno task setup", or use the image ${DEFAULT_IMAGE}`;

function missing(
  { packages, parts, megatron }: HostPython,
  { config }: CheckContext,
): Observed[] {
  const { paths, cluster, model } = config;
  const script = isAsync(config) ? SLIME_PARTS.trainAsync : SLIME_PARTS.train;
  const needed = PACKAGES.filter((name) =>
    name !== "torch-memory-saver" || cluster.colocate
  );
  const absent = needed.filter((name) => packages[name] === null);
  return [
    ...(absent.length > 0
      ? [fail(`"${paths.python}" lacks ${absent.join(", ")}`, SETUP)]
      : []),
    ...(parts.includes(script) ? directLoad(parts, model) : [
      fail(`"${paths.slime}" does not contain slime with ${script}`, SETUP),
    ]),
    ...(megatron
      ? []
      : [fail(`"${paths.megatron}" does not contain Megatron-LM`, SETUP)]),
  ];
}

/**
 * Checks that slime can load Hugging Face directories directly, if the recipe needs this. slime in older published
 * images cannot.
 */
function directLoad(
  parts: readonly string[],
  { reference, directory }: CheckContext["config"]["model"],
): Observed[] {
  if (reference !== null && reference !== directory) return [];
  if (parts.includes(SLIME_PARTS.hugging)) return [];
  return [fail(
    "this slime is too old to load a Hugging Face directory directly",
    `update its checkout with "deno task setup", or convert the model with "deno task convert" and set model.reference to the result`,
  )];
}

async function driverCuda(
  host: Shell,
  { signal }: CheckContext,
): Promise<[number, number] | null> {
  const { stdout } = await host.run({ script: "nvidia-smi" }, { signal });
  return parseDriverCuda(stdout);
}

/**
 * Compares the CUDA version of PyTorch with the CUDA version of the driver. Older drivers run newer builds of the same
 * major version, except for code that is compiled at run time.
 */
function cudaFaults(
  { cuda }: HostPython,
  driver: [number, number] | null,
): Observed[] {
  if (cuda === null || driver === null) return [];
  const [major = 0, minor = 0] = cuda.split(".").map(Number);
  const there =
    `PyTorch is built for CUDA ${cuda}, but the driver supports up to ${
      driver.join(".")
    }`;
  if (driver[0] < major) {
    return [fail(
      there,
      `install a driver for CUDA ${major}, or use an image for CUDA ${
        driver[0]
      }`,
    )];
  }
  return driver[0] === major && driver[1] < minor
    ? [warn(there, `install a driver for CUDA ${cuda}`)]
    : [];
}

function summary({ python, packages, cuda, commit }: HostPython): string {
  const versions = ["torch", "ray", "sglang"].map((name) =>
    `${name} ${packages[name]}`
  );
  const slime = commit === null ? "slime" : `slime ${commit.slice(0, 9)}`;
  return `${slime}, Python ${python}, ${versions.join(", ")}, CUDA ${
    cuda ?? "none"
  }`;
}

/**
 * Compares the software of two hosts. Ray rejects hosts with another version of Python or Ray; other differences may
 * cause failures later.
 */
function compare(
  python: HostPython,
  first: HostPython,
  name: string,
): Observed[] {
  const facts = (python: HostPython): Record<string, string | null> => ({
    ...python.packages,
    python: python.python,
    slime: python.commit,
    cuda: python.cuda,
  });
  const [here, there] = [facts(first), facts(python)];
  const keys = Object.keys(here).filter((key) => here[key] !== there[key]);
  if (keys.length === 0) return [];
  const list = keys.map((key) =>
    `${key} ${there[key] ?? "none"} (${here[key] ?? "none"} on ${name})`
  );
  return [fail(
    `the software differs from that on ${name}: ${list.join(", ")}`,
    `use the same image on all hosts, or run "deno task setup" on all of them`,
  )];
}
