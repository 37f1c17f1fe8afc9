/** Checks that the model's directory is complete and identical on every host. */

import { quote, type Shell } from "../../hosts/shell.ts";
import {
  type Check,
  type CheckContext,
  differences,
  fail,
  type Observed,
  onEachHost,
  verdict,
} from "../check.ts";
import { readHostFile } from "../host_file.ts";
import { type HostModel, listModel, readHeaders } from "../host_shards.ts";
import {
  INDEX_FILE,
  parseIndex,
  type Shard,
  type ShardHeader,
  SINGLE_FILE,
} from "../shards.ts";
import { repositoryOf } from "../../shapes/model_presets.ts";

/** The files needed in addition to the weights. */
const NEEDED = ["config.json", "tokenizer.json", "tokenizer_config.json"];

/** The `model-files` check. */
export const check: Check = {
  id: "model-files",
  order: 90,
  title: "the model's directory is complete and identical on every host",
  timeoutMs: 120_000,
  async run(context) {
    const models = new Map<string, HostModel>();
    const found = await onEachHost(
      context.hosts,
      (host) => lookAt(host, { context, models }),
    );
    return [...found, ...differences(context.hosts, models, compare)];
  },
};

async function lookAt(
  host: Shell,
  { context, models }: {
    context: CheckContext;
    models: Map<string, HostModel>;
  },
): Promise<readonly Observed[]> {
  const { config: { model: { directory: dir } }, signal } = context;
  const model = await listModel(host, dir, { signal });
  if (model === null) {
    return [fail(`there is no directory "${dir}"`, again(context))];
  }
  models.set(host.name, model);
  const missing = NEEDED.filter((name) => !model.files.has(name));
  const absent = missing.map((name) =>
    fail(`"${dir}/${name}" is missing or cannot be read`, again(context))
  );
  const index = await readHostFile(host, `${dir}/${INDEX_FILE}`, { signal });
  const wanted = index === undefined
    ? new Map<string, string[]>([[SINGLE_FILE, []]])
    : parseIndex(index);
  if (wanted === null) {
    const damaged = `"${dir}/${INDEX_FILE}" is damaged`;
    return [...absent, fail(damaged, again(context))];
  }
  const shards = [...model.shards.values()];
  const headers = await readHeaders(host, { dir, shards, signal });
  const faults = [...wanted].flatMap(([name, tensors]) =>
    shardFaults({
      shard: model.shards.get(name),
      header: headers.get(name),
      tensors,
    }).map((fault) =>
      fail(
        `"${dir}/${name}" ${fault}`,
        fault === UNREADABLE ? "change its owner or mode" : again(context),
      )
    )
  );
  return verdict([...absent, ...faults], summary(wanted, model));
}

const UNREADABLE = "cannot be read by this user";

function shardFaults(
  { shard, header, tensors }: {
    shard: Shard | undefined;
    header: ShardHeader | null | undefined;
    tensors: readonly string[];
  },
): string[] {
  if (shard === undefined) {
    return [
      tensors.length === 0
        ? `is missing, and so is "${INDEX_FILE}"`
        : "is missing, but the index lists it",
    ];
  }
  if (!shard.isReadable) return [UNREADABLE];
  if (!header) {
    return [`has a damaged header (file size: ${shard.size} bytes)`];
  }
  if (shard.size !== header.size) {
    return [`has a size of ${shard.size} bytes instead of ${header.size}`];
  }
  const held = new Set(header.tensors);
  const lost = tensors.filter((tensor) => !held.has(tensor));
  return lost.length === 0 ? [] : [
    `lacks ${lost.length} of ${tensors.length} tensors that it must contain according to the index, such as ${
      lost[0]
    }`,
  ];
}

function summary(
  wanted: ReadonlyMap<string, unknown>,
  { shards }: HostModel,
): string {
  const bytes = [...wanted.keys()].reduce(
    (sum, name) => sum + (shards.get(name)?.size ?? 0),
    0,
  );
  return `${
    wanted.size === 1 ? "1 weight file" : `${wanted.size} weight files`
  }, complete, ${(bytes / 1e9).toFixed(1)} GB`;
}

function again({ config: { model } }: CheckContext): string {
  return `download the model with this command, which keeps complete files: hf download ${
    repositoryOf(model.name)
  } --local-dir ${quote(model.directory)}`;
}

/**
 * Compares the models of two hosts. Ranks on all hosts must load the same model, and each engine uses the tokenizer on
 * its host.
 */
function compare(there: HostModel, first: HostModel, name: string): Observed[] {
  const names = differingFiles(first, there);
  if (names.length === 0) return [];
  const more = names.length > 4 ? ` and ${names.length - 4} more` : "";
  return [fail(
    `the model's directory differs from that on ${name} in ${
      names.slice(0, 4).join(", ")
    }${more}`,
    "copy the model's directory from one host to the others, for example with rsync -a",
  )];
}

function differingFiles(a: HostModel, b: HostModel): string[] {
  const [here, there] = [printsOf(a), printsOf(b)];
  const names = new Set([...here.keys(), ...there.keys()]);
  return [...names].filter((name) => here.get(name) !== there.get(name)).sort();
}

/**
 * Returns fingerprints of the files, keyed by file name: the size of a weight file, and the size and checksum of any
 * other file.
 */
function printsOf({ shards, files }: HostModel): Map<string, string> {
  return new Map([
    ...[...shards.values()].map(({ name, size }) =>
      [name, String(size)] as const
    ),
    ...[...files].map(([name, { size, checksum }]) =>
      [name, `${size} ${checksum}`] as const
    ),
  ]);
}
