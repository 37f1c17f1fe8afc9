/** Checks that every host has the planned number of GPUs, and that the GPUs are idle and recent enough. */

import type { SlimeConfig } from "../../slime_schema.ts";
import type { Shell } from "../../hosts/shell.ts";
import {
  type Check,
  type CheckContext,
  fail,
  type Observed,
  onEachHost,
  verdict,
  warn,
} from "../check.ts";
import { lastWords } from "../host_file.ts";
import {
  type Gpu,
  GPU_QUERY,
  type GpuProcess,
  parseGpuProcesses,
  parseGpus,
  PROCESS_QUERY,
} from "../nvidia_smi.ts";

/** A GPU with at least this much memory in use, in MiB, counts as busy. */
const IDLE_MIB = 1024;

/** The minimum compute capability: bf16 and flash attention need Ampere or newer. */
const MIN_CAPABILITY = 8;

/** The `gpus` check. */
export const check: Check = {
  id: "gpus",
  order: 10,
  title: "every host has as many GPUs as planned, and they are idle",
  async run(context) {
    const seen: Gpu[] = [];
    const found = await onEachHost(
      context.hosts,
      async (host) => await lookAt(host, { context, seen }),
    );
    return [...found, ...compareGpus(seen)];
  },
};

async function lookAt(
  host: Shell,
  { context: { config, hostGpus: planned, signal }, seen }: {
    context: CheckContext;
    seen: Gpu[];
  },
): Promise<readonly Observed[]> {
  const answer = await host.run({ script: GPU_QUERY }, { signal });
  const all = answer.code === 0 ? parseGpus(answer.stdout) : [];
  if (all.length < planned) {
    const said = answer.code === 0 ? "" : `: ${
      lastWords(
        // nvidia-smi prints errors to standard output.
        answer.stderr.trim() || answer.stdout,
        answer.code,
      )
    }`;
    return [tooFew(all.length, planned, said)];
  }
  // Ray uses the first GPUs.
  const used = all.slice(0, planned);
  seen.push(...used);
  const processes = await host.run({ script: PROCESS_QUERY }, { signal });
  const busy = busyFaults(used, parseGpuProcesses(processes.stdout));
  return verdict(
    [...surplus(all.length, config), ...busy, ...oldFaults(used)],
    `${planned} × ${used[0]?.name}, idle, driver ${used[0]?.driver}`,
  );
}

function tooFew(count: number, planned: number, said: string): Observed {
  return fail(
    count === 0
      ? `nvidia-smi lists no GPU, but ${planned} ${
        planned === 1 ? "is" : "are"
      } planned${said}`
      : `nvidia-smi lists only ${count} of the ${planned} planned GPUs${said}`,
    'start the container with --gpus all, or fix the driver; to check a machine without GPUs, run "deno task doctor" with --skip gpus,nvlink',
  );
}

function surplus(count: number, { cluster }: SlimeConfig): Observed[] {
  if (cluster.hostGpus === null || count === cluster.hostGpus) return [];
  return [warn(
    `${count} GPUs are visible, but cluster.hostGpus is ${cluster.hostGpus}`,
    `set cluster.hostGpus to ${count}, or hide the other GPUs with CUDA_VISIBLE_DEVICES before Ray starts`,
  )];
}

function busyFaults(
  gpus: readonly Gpu[],
  processes: readonly GpuProcess[],
): Observed[] {
  return gpus.flatMap((gpu) => {
    const holders = processes.filter(({ uuid }) => uuid === gpu.uuid);
    if (holders.length === 0 && gpu.usedMiB < IDLE_MIB) return [];
    const names = holders.map(({ pid, name }) => `${name} (process ${pid})`);
    // Inside a container, processes outside it are not visible.
    const who = names.length === 0
      ? "a process that nvidia-smi does not list here"
      : names.join(", ");
    return [fail(
      `GPU ${gpu.index} is busy: ${gpu.usedMiB} MiB are in use by ${who}`,
      names.length === 0
        ? "find that process with nvidia-smi on the host itself and end it, or use another host"
        : holders.length === 1
        ? `if process ${
          holders[0]!.pid
        } is yours, end it, or stop its Ray job with "ray job stop"`
        : `if processes ${
          holders.map(({ pid }) => pid).join(", ")
        } are yours, end them, or stop their Ray job with "ray job stop"`,
    )];
  });
}

function oldFaults(gpus: readonly Gpu[]): Observed[] {
  const old = gpus.find(({ capability }) =>
    capability !== null && capability < MIN_CAPABILITY
  );
  return old === undefined ? [] : [fail(
    `GPU ${old.index} (${old.name}, compute capability ${old.capability}) does not support bf16`,
    "use GPUs of compute capability 8.0 or above (A100, H100, …)",
  )];
}

/**
 * Returns warnings about differences between the hosts' GPUs and drivers. The slowest GPU limits the speed, and the GPU
 * with the least memory limits the memory.
 */
function compareGpus(gpus: readonly Gpu[]): Observed[] {
  if (gpus.length === 0) return [];
  const names = [...new Set(gpus.map(({ name }) => name))];
  const drivers = [...new Set(gpus.map(({ driver }) => driver))];
  const kinds = names.length > 1
    ? [warn(
      `the planned GPUs differ: ${names.join(", ")}`,
      "use GPUs of one model, because the slowest and the smallest GPU limit the run",
    )]
    : [];
  return drivers.length > 1
    ? [
      ...kinds,
      warn(
        `hosts have different drivers: ${drivers.join(", ")}`,
        "install the same driver on all hosts",
      ),
    ]
    : kinds;
}
