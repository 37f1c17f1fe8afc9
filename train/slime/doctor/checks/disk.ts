/** Room for the checkpoints that are kept. */

import type { Shell } from "../../hosts/shell.ts";
import { diskPlan } from "../../plan/run_memory.ts";
import type { ResolvedSlime } from "../../slime_config.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import {
  type Check,
  type CheckContext,
  fail,
  type Observed,
  onEachHost,
  pass,
  warn,
} from "../check.ts";
import { gigabytes, readVolume, type Volume } from "../host_disks.ts";

/** Ray's logs and the objects that it spills. */
const RAY_BYTES = 10e9;
/** Rows, hooks and settings. */
const RUN_BYTES = 1e8;

/** The check `disk`. */
export const check: Check = {
  id: "disk",
  order: 40,
  title: "room for the checkpoints that the run keeps, and for Ray's files",
  async run(context) {
    const volumes = new Map<string, string>();
    const found = await onEachHost(
      context.hosts,
      (host) => lookAtDisk(host, { context, volumes }),
    );
    return [...found, ...ownDisks(volumes, context.config)];
  },
};

/** What a run writes to a directory. */
interface Demand {
  readonly path: string;
  readonly what: string;
  /** Bytes of one save; none for what does not grow with saves. */
  readonly perSave: number;
  readonly fixed: number;
}

function demandsOf(slime: ResolvedSlime): Demand[] {
  const { checkpoint, cluster, paths } = slime.config;
  const plan = diskPlan(slime);
  return [
    {
      path: checkpoint.directory,
      what: "checkpoints",
      perSave: plan.checkpoint,
      fixed: 0,
    },
    ...(checkpoint.huggingFace === null ? [] : [{
      path: checkpoint.huggingFace,
      what: "exports",
      perSave: plan.huggingFace,
      fixed: 0,
    }]),
    { path: paths.runs, what: "rows and hooks", perSave: 0, fixed: RUN_BYTES },
    {
      path: cluster.tempDir ?? "/tmp",
      what: "Ray's files",
      perSave: 0,
      fixed: RAY_BYTES,
    },
  ];
}

async function lookAtDisk(
  host: Shell,
  { context, volumes }: {
    context: CheckContext;
    volumes: Map<string, string>;
  },
): Promise<readonly Observed[]> {
  const { config, signal } = context;
  const demands = demandsOf(context);
  const there = await Promise.all(
    demands.map(async (demand) => ({
      ...demand,
      volume: await readVolume(host, demand.path, signal),
    })),
  );
  volumes.set(host.name, there[0]!.volume.source);
  const saves = diskPlan(context).checkpoints;
  const byMount = Map.groupBy(there, ({ volume }) => volume.mount);
  return [
    ...there.filter(({ volume }) => !volume.isWritable).map(({ path }) =>
      fail(
        `"${path}" cannot be written to`,
        "change its owner or mode, or choose another directory",
      )
    ),
    ...[...byMount].map(([mount, all]) =>
      judgeVolume(mount, { all, saves, config })
    ),
  ];
}

function judgeVolume(
  mount: string,
  { all, saves, config }: {
    all: readonly (Demand & { readonly volume: Volume })[];
    saves: number;
    config: SlimeConfig;
  },
): Observed {
  const perSave = all.reduce((sum, one) => sum + one.perSave, 0);
  const fixed = all.reduce((sum, one) => sum + one.fixed, 0);
  const need = perSave * saves + fixed;
  const { free } = all[0]!.volume;
  const what = all.map(({ what }) => what).join(", ");
  const how = perSave === 0 ? "" : ` (${saves} saves of ${gigabytes(perSave)})`;
  const found = `${mount} has ${gigabytes(free)} free; ${what} need ${
    gigabytes(need)
  }${how}`;
  if (free >= need) return pass(found);
  return fail(found, fixOf({ room: free - fixed, perSave, config }));
}

/** By what the space there is suffices. */
function fixOf(
  { room, perSave, config }: {
    room: number;
    perSave: number;
    config: SlimeConfig;
  },
): string {
  if (perSave === 0) return "free some space there";
  const fit = Math.floor(room / perSave);
  const other =
    "free some space, or choose a larger disk by checkpoint.directory";
  const { steps } = config.rollout;
  if (fit < 1) return other;
  return fit === 1
    ? `${other}; there is room for one save, which checkpoint.every ${steps} makes the only one`
    : `${other}; or keep fewer by checkpoint.keep and checkpoint.keepBest: there is room for ${fit} saves, one of them while it is written`;
}

/** Every rank writes its part of a checkpoint where it runs, and needs all parts to resume. */
function ownDisks(
  volumes: ReadonlyMap<string, string>,
  { checkpoint }: SlimeConfig,
): Observed[] {
  const sources = [...new Set(volumes.values())];
  const isOwn = sources.length > 1 ||
    sources.some((source) => /^(\/dev\/|overlay$|tmpfs$)/.test(source));
  if (volumes.size < 2 || !isOwn) return [];
  return [warn(
    `"${checkpoint.directory}" is on ${
      sources.join(", ")
    }: each host has its own, and keeps only its ranks' parts of a checkpoint`,
    "put checkpoint.directory on storage that all hosts share, or no run resumes on other hosts",
  )];
}
