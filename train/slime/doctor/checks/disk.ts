/** Checks the disk space for the checkpoints that the run keeps, its other files, and Ray's files. */

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

/** The number of bytes to allow for Ray's logs and for the objects that Ray spills to disk. */
const RAY_BYTES = 10e9;
/** The number of bytes to allow for rows, hooks and settings. */
const RUN_BYTES = 1e8;

/** The `disk` check. */
export const check: Check = {
  id: "disk",
  order: 40,
  title:
    "there is enough disk space for the checkpoints that the run keeps and for Ray's files",
  async run(context) {
    const volumes = new Map<string, string>();
    const found = await onEachHost(
      context.hosts,
      (host) => lookAtDisk(host, { context, volumes }),
    );
    return [...found, ...separateDisks(volumes, context.config)];
  },
};

/** The disk space that a run needs in a directory. */
interface Demand {
  readonly path: string;
  /** The recipe's key that sets the path. */
  readonly key: string;
  readonly what: string;
  /** The number of bytes per saved checkpoint; 0 if the size does not depend on checkpoints. */
  readonly perSave: number;
  readonly fixed: number;
}

function demandsOf(slime: ResolvedSlime): Demand[] {
  const { checkpoint, cluster, paths } = slime.config;
  const plan = diskPlan(slime);
  return [
    {
      path: checkpoint.directory,
      key: "checkpoint.directory",
      what: "checkpoints",
      perSave: plan.checkpoint,
      fixed: 0,
    },
    ...(checkpoint.huggingFace === null ? [] : [{
      path: checkpoint.huggingFace,
      key: "checkpoint.huggingFace",
      what: "exports",
      perSave: plan.huggingFace,
      fixed: 0,
    }]),
    {
      path: paths.runs,
      key: "paths.runs",
      what: "rows and hooks",
      perSave: 0,
      fixed: RUN_BYTES,
    },
    {
      path: cluster.tempDir ?? "/tmp",
      key: "cluster.tempDir",
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
    ...there.filter(({ volume }) => !volume.isWritable).map(({ path, key }) =>
      fail(
        `"${path}" is not writable, or cannot be created`,
        `change the owner or mode of this directory or of its nearest existing parent, or set ${key} to another directory`,
      )
    ),
    ...[...byMount].map(([mount, all]) =>
      judgeVolume(mount, { all, saves, config })
    ),
  ];
}

const LIST = new Intl.ListFormat("en");

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
  const what = LIST.format(all.map(({ what }) => what));
  const how = perSave === 0
    ? ""
    : ` (${saves} ${saves === 1 ? "save" : "saves"} of ${gigabytes(perSave)})`;
  const found = `${mount} has ${gigabytes(free)} free, and ${what} need ${
    gigabytes(need)
  }${how}`;
  if (free >= need) return pass(found);
  const keys = all.filter((one) => one.perSave > 0).map(({ key }) => key);
  return fail(
    found,
    fixOf({ mount, room: free - fixed, perSave, keys, config }),
  );
}

/** Returns a fix, which depends on the number of checkpoints that fit on the disk. */
function fixOf(
  { mount, room, perSave, keys, config }: {
    mount: string;
    room: number;
    perSave: number;
    keys: readonly string[];
    config: SlimeConfig;
  },
): string {
  if (perSave === 0) return `free some space on ${mount}`;
  const fit = Math.floor(room / perSave);
  const disk = `set ${keys.join(" or ")} to a directory on a larger disk`;
  const { steps } = config.rollout;
  if (fit < 1) return `free some space on ${mount}, or ${disk}`;
  return fit === 1
    ? `${disk}, or set checkpoint.every to ${steps} to save only once`
    : `${disk}, or keep fewer checkpoints with checkpoint.keep and checkpoint.keepBest (there is room for ${fit} saves, including the one being written)`;
}

/**
 * Returns a warning if hosts write checkpoints to separate disks. Each rank writes its part of a checkpoint to the host
 * that it runs on, but resuming needs all parts.
 */
function separateDisks(
  volumes: ReadonlyMap<string, string>,
  { checkpoint }: SlimeConfig,
): Observed[] {
  const sources = [...new Set(volumes.values())];
  const isOwn = sources.length > 1 ||
    sources.some((source) => /^(\/dev\/|overlay$|tmpfs$)/.test(source));
  if (volumes.size < 2 || !isOwn) return [];
  return [warn(
    `"${checkpoint.directory}" is on a separate disk on each host (${
      sources.join(", ")
    }), which stores only the parts of a checkpoint that the host's own ranks write, so the run cannot resume on other hosts`,
    "set checkpoint.directory to a directory on storage that all hosts share",
  )];
}
