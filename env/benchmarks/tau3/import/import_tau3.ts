/**
 * Converts a τ³-bench checkout to the bundle that the other modules read: copies the checkout's data, and extracts
 * tools and prompts from its Python source without running Python.
 *
 * @see sierra-research/tau2-bench for the layout.
 */

import { DataError, messageOf } from "../../../errors.ts";
import { formatPythonJson, fromPlain } from "../../../python/python_json.ts";
import { PythonModules } from "../../python_source/python_modules.ts";
import {
  type Checkout,
  type Import,
  importManifest,
  MANIFEST,
} from "../../tau/import/import_tau_bench.ts";
import { SOLO_TOOL_FILE } from "../bundle_files.ts";
import { PERSONA, type Tau3Prompts } from "../tau3_prompts.ts";
import { importTau3Prompts } from "./read_tau3_prompts.ts";
import { readSoloAgent } from "./solo_agent.ts";
import { readToolSchemas } from "./toolkit_schemas.ts";

/** The files of a domain. The files in `maybe` exist only in some domains. */
const DOMAIN_FILES = {
  always: ["tasks.json"],
  maybe: [
    "split_tasks.json",
    "db.json",
    "db.toml",
    "user_db.json",
    "user_db.toml",
    "policy.md",
    "policy_solo.md",
    "main_policy.md",
    "main_policy_solo.md",
    "tech_support_manual.md",
    "tech_support_workflow.md",
    "tech_support_workflow_solo.md",
    "tasks_small.json",
  ],
} as const;

/** The domains with text conversations, and the sides that have tools in each domain. */
const DOMAINS = {
  airline: ["agent"],
  retail: ["agent"],
  telecom: ["agent", "user"],
} as const;

const GUIDELINES = [
  "simulation_guidelines.md",
  "simulation_guidelines_tools.md",
];

/** Checks whether a directory is a τ³-bench checkout. */
export async function isTau3Checkout(checkout: Checkout): Promise<boolean> {
  return await pythonDir(checkout) !== undefined;
}

/**
 * Imports a checkout into memory.
 * @throws {DataError} If a file is missing or has an unsupported construct; the message names the file and, if the
 * fault has a position, the line and the column.
 */
export async function importTau3(checkout: Checkout): Promise<Import> {
  const { root, read } = checkout;
  const python = await pythonDir(checkout) ?? `${root}/src`;
  const modules = new PythonModules({
    root: python,
    read,
    calls: () => undefined,
  });
  const data = await dataDir(checkout, python);
  const files = new Map<string, string>();
  const counts: Record<string, number> = {};
  for (const [domain, sides] of Object.entries(DOMAINS)) {
    await copyDomain(domain, { checkout, data, files });
    for (const side of sides) {
      const name = side === "user" ? "user_tools" : "tools";
      const path = `${python}/tau2/domains/${domain}/${name}.py`;
      const tools = await readToolSchemas(modules, await modules.source(path));
      files.set(`tools/${domain}_${side}.json`, json(tools));
      counts[`${domain} ${side} tools`] = tools.length;
    }
    counts[`${domain} tasks`] = taskCount(files, domain);
  }
  const agent = await modules.source(`${python}/tau2/agent/llm_agent.py`);
  const { tool } = await readSoloAgent(modules, agent);
  files.set(`tools/${SOLO_TOOL_FILE}`, json(tool));
  for (const name of GUIDELINES) {
    const path = `${data}/user_simulator/${name}`;
    files.set(`data/tau2/user_simulator/${name}`, await required(read, path));
  }
  const prompts = await importTau3Prompts(modules, { python });
  requirePersona(prompts, files);
  files.set("prompts.json", json(prompts));
  const licence = await read(`${root}/LICENSE`);
  if (licence !== undefined) files.set("LICENSE", licence);
  files.set(
    MANIFEST,
    importManifest(files, { counts, commit: checkout.commit }),
  );
  return { files, counts };
}

/** Returns the directory that contains the package `tau2/`, or `undefined` if the checkout is not one of τ³-bench. */
async function pythonDir(
  { root, read }: Checkout,
): Promise<string | undefined> {
  for (const dir of [`${root}/src`, root]) {
    if (await read(`${dir}/tau2/registry.py`) !== undefined) return dir;
  }
  return undefined;
}

/**
 * Returns the directory `data/tau2` of the checkout or, if it lacks the user's guidelines, of the package. If both lack
 * them, returns the path in the checkout.
 */
async function dataDir(
  { root, read }: Checkout,
  python: string,
): Promise<string> {
  for (const dir of [`${root}/data/tau2`, `${python}/tau2/data/tau2`]) {
    const guidelines = `${dir}/user_simulator/${GUIDELINES[0]}`;
    if (await read(guidelines) !== undefined) return dir;
  }
  return `${root}/data/tau2`;
}

async function copyDomain(
  domain: string,
  { checkout: { read }, data, files }: {
    checkout: Checkout;
    data: string;
    files: Map<string, string>;
  },
): Promise<void> {
  const dir = `domains/${domain}`;
  for (const name of DOMAIN_FILES.always) {
    const text = await required(read, `${data}/${dir}/${name}`);
    files.set(`data/tau2/${dir}/${name}`, text);
  }
  for (const name of DOMAIN_FILES.maybe) {
    const text = await read(`${data}/${dir}/${name}`);
    if (text !== undefined) files.set(`data/tau2/${dir}/${name}`, text);
  }
}

function taskCount(files: ReadonlyMap<string, string>, domain: string): number {
  const path = `data/tau2/domains/${domain}/tasks.json`;
  try {
    return (JSON.parse(files.get(path) ?? "") as unknown[]).length;
  } catch (error) {
    throw new DataError(`Cannot read JSON in "${path}": ${messageOf(error)}`, {
      path,
    });
  }
}

/**
 * Checks that the text of the user's persona was found if the guidelines need it.
 * @throws {DataError} If the guidelines have a placeholder for the persona, but its text was not found.
 */
function requirePersona(
  { persona_minimal_verbosity }: Tau3Prompts,
  files: ReadonlyMap<string, string>,
): void {
  if (persona_minimal_verbosity !== "") return;
  for (const name of GUIDELINES) {
    const path = `data/tau2/user_simulator/${name}`;
    if (!files.get(path)?.includes(PERSONA)) continue;
    throw new DataError(
      `Cannot replace ${PERSONA} in "${path}": the checkout has no data_model/persona.py`,
      { path, hint: "pass a tau2-bench checkout with a supported layout" },
    );
  }
}

async function required(read: Checkout["read"], path: string): Promise<string> {
  const text = await read(path);
  if (text !== undefined) return text;
  throw new DataError(`Cannot find "${path}"`, {
    path,
    hint:
      "pass the root directory of a tau2-bench checkout, which contains src/",
  });
}

function json(value: unknown): string {
  return formatPythonJson(fromPlain(value)) + "\n";
}
