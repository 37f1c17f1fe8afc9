/** Memory of GPUs and hosts, against what the plan counts. */

import type { Shell } from "../../hosts/shell.ts";
import { hostGpus } from "../../slime_config.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import { assumedRates } from "../../plan/forecast.ts";
import { type MemoryPlan, memoryPlan } from "../../plan/run_memory.ts";
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

/** The check `memory`. */
export const memory: Check = {
  id: "memory",
  title:
    "training and engine fit into the GPUs that are there, and their copies into the hosts",
  run: (context) => onEachHost(context.hosts, (host) => lookAt(host, context)),
};

async function lookAt(
  host: Shell,
  { config, signal }: CheckContext,
): Promise<readonly Observed[]> {
  const gpus = await host.run({ script: GPU_QUERY }, { signal });
  const { stdout } = await host.run({ script: "cat /proc/meminfo" }, {
    signal,
  });
  const sizes = gpus.code === 0
    ? parseGpus(gpus.stdout).slice(0, hostGpus(config))
      .map(({ memoryMiB }) => memoryMiB * 2 ** 20)
    : [];
  const hostBytes = Number(/^MemTotal:\s+(\d+) kB/m.exec(stdout)?.[1] ?? 0) *
    1024;
  const gpuBytes = sizes.length === 0 ? null : Math.min(...sizes);
  const plan = memoryPlan(
    withGpu(config, gpuBytes),
    assumedRates(config, null),
  );
  const faults = [
    ...(gpuBytes === null ? [] : gpuFaults(plan, { gpuBytes, config })),
    ...hostFaults(plan, hostBytes),
  ];
  if (gpuBytes === null && faults.length === 0) {
    return [skipped("no GPU tells its memory; see the check gpus")];
  }
  return verdict(
    faults,
    `training takes about ${gb(plan.training.total)} and an engine ${
      gb(plan.engine.share)
    } of a GPU of ${gb(gpuBytes ?? 0)}; copies about ${
      gb(plan.host)
    } of the host's ${gb(hostBytes)}`,
  );
}

/** The plan goes by what the recipe says a GPU has; here it goes by what there is. */
function withGpu(config: SlimeConfig, bytes: number | null): SlimeConfig {
  if (bytes === null) return config;
  const cluster = { ...config.cluster, gpuMemoryGb: bytes / 1e9 };
  return { ...config, cluster };
}

function gpuFaults(
  { training, engine }: MemoryPlan,
  { gpuBytes, config }: { gpuBytes: number; config: SlimeConfig },
): Observed[] {
  return [
    ...(training.total > gpuBytes
      ? [warn(
        `training takes about ${gb(training.total)}, and a GPU has ${
          gb(gpuBytes)
        }`,
        "raise parallel.tensor or cluster.gpusPerNode, or lower parallel.maxTokensPerGpu and rollout.maxContextLen",
      )]
      : []),
    ...(engine.cache <= 0
      ? [fail(
        `an engine may take ${gb(engine.share)} of a GPU of ${
          gb(gpuBytes)
        }, and its weights alone are ${gb(engine.weights)}`,
        "raise engine.memory or engine.gpus",
      )]
      : []),
    ...(engine.cache > 0 && engine.cacheTokens < config.rollout.maxContextLen
      ? [fail(
        `an engine's cache holds ${engine.cacheTokens} tokens, and an episode may have ${config.rollout.maxContextLen}`,
        "raise engine.memory or engine.gpus, or lower rollout.maxContextLen",
      )]
      : []),
    ...(config.cluster.colocate && engine.share + engine.beside > gpuBytes
      ? [warn(
        `an engine may take ${gb(engine.share)} of ${
          gb(gpuBytes)
        }, and a trainer that sleeps keeps about ${gb(engine.beside)}`,
        "lower engine.memory",
      )]
      : []),
  ];
}

function hostFaults({ host }: MemoryPlan, bytes: number): Observed[] {
  if (bytes === 0 || host <= bytes) return [];
  return [warn(
    `copies of weights and of the optimizer take about ${
      gb(host)
    } of the host's memory, which is ${gb(bytes)}`,
    "take hosts with more memory, or set algorithm.klLoss to false, which saves a copy",
  )];
}

function gb(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
