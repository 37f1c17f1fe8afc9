/** GPUs: as many as planned, idle, and new enough. */

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

/** More than a driver takes for itself. */
const IDLE_MIB = 1024;

/** bf16 and flash attention begin with Ampere. */
const LEAST_CAPABILITY = 8;

/** The check `gpus`. */
export const check: Check = {
  id: "gpus",
  order: 10,
  title: "as many GPUs as planned on every host, none of them busy",
  async run(context) {
    const seen: Gpu[] = [];
    const found = await onEachHost(
      context.hosts,
      async (host) => await lookAt(host, { context, seen }),
    );
    return [...found, ...alike(seen)];
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
        // It complains on its output.
        answer.stderr.trim() || answer.stdout,
        answer.code,
      )
    }`;
    return [tooFew(all.length, planned, said)];
  }
  // Ray gives out the first ones.
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
    `${count} GPUs are visible and ${planned} are planned${said}`,
    "start the container with all GPUs (docker run --gpus all), fix the driver, or lower cluster.gpusPerNode " +
      "and cluster.hostGpus; on a machine without GPUs, leave this out by --skip gpus,nvlink",
  );
}

function surplus(count: number, { cluster }: SlimeConfig): Observed[] {
  if (cluster.hostGpus === null || count === cluster.hostGpus) return [];
  return [warn(
    `${count} GPUs are visible and cluster.hostGpus is ${cluster.hostGpus}`,
    `set cluster.hostGpus to ${count}, or leave the others out by CUDA_VISIBLE_DEVICES before Ray starts`,
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
    // Inside a container, processes of others cannot be seen.
    const who = names.length === 0
      ? "what runs outside of this container"
      : names.join(", ");
    return [fail(
      `GPU ${gpu.index} is busy: ${gpu.usedMiB} MiB are held by ${who}`,
      names.length === 0
        ? "see nvidia-smi on the host itself, and end what holds it or choose another host"
        : `end ${
          holders.map(({ pid }) => pid).join(", ")
        } if it is yours and no longer needed; a job of Ray by "ray job stop"`,
    )];
  });
}

function oldFaults(gpus: readonly Gpu[]): Observed[] {
  const old = gpus.find(({ capability }) =>
    capability !== null && capability < LEAST_CAPABILITY
  );
  return old === undefined ? [] : [fail(
    `GPU ${old.index} is a ${old.name} of compute capability ${old.capability}, which has no bf16`,
    "take GPUs of compute capability 8.0 or above (A100, H100, …)",
  )];
}

/** The slowest GPU sets the pace, and the smallest the memory. */
function alike(gpus: readonly Gpu[]): Observed[] {
  if (gpus.length === 0) return [];
  const names = [...new Set(gpus.map(({ name }) => name))];
  const drivers = [...new Set(gpus.map(({ driver }) => driver))];
  const kinds = names.length > 1
    ? [warn(
      `hosts have different GPUs: ${names.join(", ")}`,
      "use hosts of one kind: the slowest sets the pace and the smallest the memory",
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
