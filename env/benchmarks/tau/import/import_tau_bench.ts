/**
 * Converts a τ-bench checkout to the data directory that the other modules read: tables, texts and tasks are extracted
 * from the Python source without running Python.
 *
 * @see sierra-research/tau-bench at 59a200c for the layout.
 */

import { DataError } from "../../../errors.ts";
import {
  formatPythonJson,
  type JsonValue,
  parsePythonJson,
} from "../../../python/python_json.ts";
import { sha256 } from "../../../state_hash.ts";
import { PythonModules } from "../../python_source/python_modules.ts";
import { importDomain, type ImportedDomain, taskCalls } from "./read_domain.ts";
import { importPrompts } from "./read_prompts.ts";

/** A checkout that can be read. */
export interface Checkout {
  /** The root directory, which contains `tau_bench/`. */
  readonly root: string;
  /** Reads a file as text, or returns `undefined` if the file does not exist. */
  readonly read: (path: string) => Promise<string | undefined>;
  /** The hash of the checked-out commit, if it is known. */
  readonly commit?: string | undefined;
}

/** The result of an import. */
export interface Import {
  /** The texts of the files, keyed by path within the directory. */
  readonly files: ReadonlyMap<string, string>;
  /** The number of items of each kind, keyed by kind, such as `retail tasks_test` or `retail users`. */
  readonly counts: Readonly<Record<string, number>>;
}

/** The name of the file that records the source, counts and hashes of an import. */
export const MANIFEST = "SOURCE.json";

const DOMAINS = {
  retail: ["orders", "products", "users"],
  airline: ["flights", "reservations", "users"],
} as const;

const FEW_SHOT = [
  "MockAirlineDomainEnv-few_shot.jsonl",
  "MockRetailDomainEnv-few_shot.jsonl",
];

/**
 * Imports a checkout into memory.
 * @throws {DataError} If a file is missing or invalid, or has an unsupported construct; the message names the file and,
 * if the fault has a position, the line and the column.
 */
export async function importTauBench(checkout: Checkout): Promise<Import> {
  const { root, read } = checkout;
  const modules = new PythonModules({ root, read, calls: taskCalls });
  const files = new Map<string, string>();
  const counts: Record<string, number> = {};
  const terminating = new Map<string, JsonValue>();
  for (const [domain, tables] of Object.entries(DOMAINS)) {
    const dir = `${root}/tau_bench/envs/${domain}`;
    const wiki = await read(`${dir}/wiki.md`);
    const imported = await importDomain(modules, { root, domain, wiki });
    addDomain(domain, imported, { files, counts });
    terminating.set(domain, imported.terminatingTools);
    for (const table of tables) {
      const text = await required(read, `${dir}/data/${table}.json`);
      files.set(`${domain}/${table}.json`, text);
      counts[`${domain} ${table}`] = rowCount(
        text,
        `${dir}/data/${table}.json`,
      );
    }
  }
  for (const name of FEW_SHOT) {
    const text = await read(`${root}/few_shot_data/${name}`);
    if (text === undefined) continue;
    files.set(`few_shot/${name}`, text);
    counts[`few_shot ${name}`] = text.trim().split("\n").length;
  }
  files.set("terminate_tools.json", json(terminating));
  files.set("prompts.json", json(await importPrompts(modules, root)));
  const licence = await read(`${root}/LICENSE`);
  if (licence !== undefined) files.set("LICENSE.txt", licence);
  files.set(
    MANIFEST,
    importManifest(files, { counts, commit: checkout.commit }),
  );
  return { files, counts };
}

function addDomain(
  domain: string,
  imported: ImportedDomain,
  { files, counts }: {
    files: Map<string, string>;
    counts: Record<string, number>;
  },
): void {
  files.set(`${domain}/wiki.md`, imported.policy);
  files.set(`${domain}/rules.json`, json(imported.rules));
  files.set(`${domain}/tools.json`, json([...imported.tools]));
  counts[`${domain} tools`] = imported.tools.length;
  for (const [split, tasks] of imported.tasks) {
    files.set(`${domain}/tasks_${split}.json`, json([...tasks]));
    counts[`${domain} tasks_${split}`] = tasks.length;
  }
}

/**
 * Creates the text of the manifest, the file {@linkcode MANIFEST}. The text contains no dates, so the same checkout
 * produces the same bytes.
 */
export function importManifest(
  files: ReadonlyMap<string, string>,
  { counts, commit }: {
    counts: Readonly<Record<string, number>>;
    commit: string | undefined;
  },
): string {
  const hashes = [...files].map(([path, text]) => [path, sha256([text])]);
  return `${
    JSON.stringify(
      {
        importedBy: "deno task import",
        commit: commit ?? null,
        counts,
        sha256: Object.fromEntries(hashes),
      },
      null,
      1,
    )
  }\n`;
}

/**
 * Returns the number of rows in a table.
 * @throws {DataError} If the text is not an object of rows.
 */
function rowCount(text: string, path: string): number {
  const rows = parsePythonJson(text, { path });
  if (rows instanceof Map) return rows.size;
  throw new DataError(
    `Cannot import "${path}": it is not an object that maps ids to rows`,
    {
      path,
    },
  );
}

async function required(read: Checkout["read"], path: string): Promise<string> {
  const text = await read(path);
  if (text !== undefined) return text;
  throw new DataError(
    `Cannot find "${path}"`,
    { path, hint: "pass the directory of a τ-bench checkout" },
  );
}

function json(value: JsonValue): string {
  return `${formatPythonJson(value)}\n`;
}
