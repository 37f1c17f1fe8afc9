/** Checks that the hosts and their GPUs have the memory that the plan estimates. */

import { gigabytes } from "../../../progress/amounts.ts";
import type { Shell } from "../../hosts/shell.ts";
import { assumedRates } from "../../plan/forecast.ts";
import {
  memoryFaults,
  type MemoryPlan,
  memoryPlan,
} from "../../plan/run_memory.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import {
  type Check,
  type CheckContext,
  fail,
  type Observed,
  onEachHost,
  skipped,
  verdict,
  warn,
} from "../check.ts";
import { GPU_QUERY, parseGpus } from "../nvidia_smi.ts";

/** The `memory` check. */
export const check: Check = {
  id: "memory",
  order: 30,
  title:
    "training and the engine fit in GPU memory, and their copies fit in host memory",
  run: (context) => onEachHost(context.hosts, (host) => lookAt(host, context)),
};

async function lookAt(
  host: Shell,
  context: CheckContext,
): Promise<readonly Observed[]> {
  const { config, hostGpus, signal } = context;
  const gpus = await host.run({ script: GPU_QUERY }, { signal });
  const { stdout } = await host.run({ script: "cat /proc/meminfo" }, {
    signal,
  });
  const sizes = gpus.code === 0
    ? parseGpus(gpus.stdout).slice(0, hostGpus)
      .map(({ memoryMiB }) => memoryMiB * 2 ** 20)
    : [];
  const hostBytes = Number(/^MemTotal:\s+(\d+) kB/m.exec(stdout)?.[1] ?? 0) *
    1024;
  const gpuBytes = sizes.length === 0 ? null : Math.min(...sizes);
  // Uses the GPUs' actual memory rather than the recipe's planned value.
  const gpuMemoryGb = gpuBytes === null
    ? config.cluster.gpuMemoryGb
    : gpuBytes / 1e9;
  const cluster = { ...config.cluster, gpuMemoryGb };
  const plan = memoryPlan(
    { ...context, config: { ...config, cluster } },
    assumedRates(config, null),
  );
  const gpuFaults = gpuBytes === null ? [] : memoryFaults(plan, config);
  const faults = [
    ...gpuFaults.map(({ found, fix, isFatal }) =>
      (isFatal ? fail : warn)(found, fix)
    ),
    ...hostFaults(plan, { bytes: hostBytes, config }),
  ];
  if (gpuBytes === null && faults.length === 0) {
    return [skipped('no GPU reports its memory; see the check "gpus"')];
  }
  return verdict(
    faults,
    `training takes about ${gigabytes(plan.training.total)} and an engine ${
      gigabytes(plan.engine.share)
    } of a GPU of ${gigabytes(gpuBytes ?? 0)}; copies about ${
      gigabytes(plan.host)
    } of the host's ${hostBytes === 0 ? "memory" : gigabytes(hostBytes)}`,
  );
}

function hostFaults(
  { host }: MemoryPlan,
  { bytes, config }: { readonly bytes: number; readonly config: SlimeConfig },
): Observed[] {
  if (bytes === 0 || host <= bytes) return [];
  return [warn(
    `copies of the weights and the optimizer state need about ${
      gigabytes(host)
    } of the host's memory, but it has only ${gigabytes(bytes)}`,
    config.algorithm.klLoss
      ? "use hosts with more memory, or set algorithm.klLoss to false, which saves a copy"
      : "use hosts with more memory",
  )];
}
