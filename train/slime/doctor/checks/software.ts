/** What is installed on the hosts: slime, Megatron, PyTorch for the driver's CUDA, the same versions everywhere. */

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

/** The check `software`. */
export const check: Check = {
  id: "software",
  order: 60,
  title:
    "slime, Megatron and their packages on every host, built for the driver's CUDA",
  timeoutMs: 120_000,
  async run(context) {
    const pythons = new Map<string, HostPython>();
    const found = await onEachHost(context.hosts, async (host) => {
      const python = await context.facts.python(host).catch(() => null);
      if (python === null) return [noPython(context)];
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

function noPython({ config: { paths } }: CheckContext): Observed {
  return fail(
    `"${paths.python}" does not run there`,
    `set paths.python to the interpreter that has slime, or install it by "deno task setup"`,
  );
}

const SETUP = `run "deno task setup", or take the image ${DEFAULT_IMAGE}`;

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
      ? [fail(`its Python lacks ${absent.join(", ")}`, SETUP)]
      : []),
    ...(parts.includes(script) ? directLoad(parts, model) : [
      fail(`there is no slime with ${script} at "${paths.slime}"`, SETUP),
    ]),
    ...(megatron
      ? []
      : [fail(`there is no Megatron-LM at "${paths.megatron}"`, SETUP)]),
  ];
}

/** Published images may be older than direct loading of Hugging Face directories. */
function directLoad(
  parts: readonly string[],
  { reference, directory }: CheckContext["config"]["model"],
): Observed[] {
  if (reference !== null && reference !== directory) return [];
  if (parts.includes(SLIME_PARTS.hugging)) return [];
  return [fail(
    "this slime is too old to load a Hugging Face directory by itself",
    `update its checkout by "deno task setup", or convert by "deno task convert" and name the result in model.reference`,
  )];
}

async function driverCuda(
  host: Shell,
  { signal }: CheckContext,
): Promise<[number, number] | null> {
  const { stdout } = await host.run({ script: "nvidia-smi" }, { signal });
  return parseDriverCuda(stdout);
}

/** Within a major version, older drivers run newer builds, but for what they compile anew. */
function cudaFaults(
  { cuda }: HostPython,
  driver: [number, number] | null,
): Observed[] {
  if (cuda === null || driver === null) return [];
  const [major = 0, minor = 0] = cuda.split(".").map(Number);
  const there = `PyTorch is built for CUDA ${cuda} and the driver runs up to ${
    driver.join(".")
  }`;
  if (driver[0] < major) {
    return [fail(
      there,
      `install a driver for CUDA ${major}, or an image for CUDA ${driver[0]}`,
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

/** Ray refuses hosts of another Python or Ray; the others break later. */
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
    `differs from ${name}: ${list.join(", ")}`,
    `make all hosts alike: the same image, or "deno task setup" on all of them`,
  )];
}
