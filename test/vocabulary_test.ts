import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDERS = [".", "env", "train", "notebooks", "tasks", "test"];
const TEXT = /\.(ts|js|py|md|ya?ml|html|css|ipynb)$/;
/** Matches the paths of files that are not taulab's own text: packages, and compiled or generated files. */
const SKIPPED = /^(node_modules|\.git|runs|train\/cpu\/wasm)(\/|$)/;

/** A term that the project does not use. */
interface Banned {
  readonly pattern: RegExp;
  /** The term to use instead. */
  readonly say: string;
  /** Matches the paths of files in which the term has another meaning or is part of a format. */
  readonly except?: RegExp;
}

const BANNED: readonly Banned[] = [
  {
    pattern: /customer(?!_id|_usage|s?_by|Id\b)/i,
    say: "user, simulated user",
    // The retail and airline stories, τ-bench's labels, and the seeds and old spellings that must stay.
    except:
      /^(env\/(domains|generated|agents|benchmarks)\/|env\/users\/(_model_user|_spoken|rules_user)\.ts|env\/models\/thought\.ts|train\/diagnosis\/judge\.ts|tasks\/_train_view\.ts|CHANGELOG\.md|test\/(env\/(domains|generated|agents|benchmarks|users)|support)\/)/,
  },
  { pattern: /\bserver of episodes\b/i, say: "episode server" },
  {
    pattern: /\bsittings?\b/i,
    say: "session",
    except:
      /^(train\/slime\/launch\/launch_record\.ts|test\/train\/slime\/launch\/)/,
  },
  { pattern: /\bmend(s|ed|ing)?\b/i, say: "fix" },
  { pattern: /\bways? out\b/i, say: "hint, fix" },
  { pattern: /\bdoing nothing\b/i, say: "do-nothing baseline" },
  {
    pattern: /\bfloor(Of|s)\b/,
    say: "baseline",
    except: /jinja|python/,
  },
  { pattern: /\bdata (are|were)\b/i, say: "data is; the dataset is" },
  { pattern: /\botherwise than\b/i, say: "differs from; unlike" },
  {
    pattern: /\b(go|goes|went|going) by\b/i,
    say: "uses, is based on",
    // Models read it, so different words would change the episodes.
    except: /^env\/domains\/telecom\/policy\.md$/,
  },
  { pattern: /\binto use again\b/i, say: "resume, reopen" },
  {
    pattern: /\btried again\b/i,
    say: "retried",
  },
  { pattern: /\bhands on the turn\b/i, say: "passes the slot on" },
  { pattern: /\bh(old|olds|eld) against\b/i, say: "compare with" },
  {
    pattern: /\bc(a|o)mes? to (no|nothing|none|an end)\b/i,
    say: "fails, has no …, ends",
  },
  { pattern: /\b(is|are) none of\b/i, say: "does not occur in; is not one of" },
  { pattern: /\bl(eave|eaves|eft|eaving) away\b/i, say: "drop, omit" },
  { pattern: /\bof late\b/i, say: "recent" },
  { pattern: /\bwhoever\b/i, say: "the caller, the observer, anyone who" },
  { pattern: /\blooks? on\b/i, say: "observes" },
  { pattern: /\bshould be left out\b/i, say: "flagged" },
  { pattern: /\bbefore its end\b/i, say: "early" },
  { pattern: /\brings? back\b/i, say: "calls back; callback" },
];

Deno.test("no committed text has a banned term", async () => {
  const found: string[] = [];
  for (const path of await textFiles()) {
    if (path === "test/vocabulary_test.ts") continue;
    const lines = (await Deno.readTextFile(join(ROOT, path))).split("\n");
    for (const { pattern, say, except } of BANNED) {
      if (except?.test(path)) continue;
      lines.forEach((line, at) => {
        const hit = pattern.exec(line)?.[0];
        if (hit === undefined) return;
        found.push(`${path}:${at + 1}: "${hit}"; say: ${say}`);
      });
    }
  }
  assert.equal(
    found.length,
    0,
    `${found.length} of them:\n${found.join("\n")}`,
  );
});

async function textFiles(): Promise<string[]> {
  const lists = await Array.fromAsync(
    FOLDERS.map((folder) => filesIn(join(ROOT, folder), folder !== ".")),
  );
  return lists.flat().sort();
}

async function filesIn(dir: string, isDeep: boolean): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(dir)) {
    const path = join(dir, entry.name);
    if (SKIPPED.test(relative(ROOT, path))) continue;
    if (entry.isDirectory && isDeep) found.push(...await filesIn(path, true));
    if (entry.isFile && TEXT.test(entry.name)) found.push(relative(ROOT, path));
  }
  return found;
}
