import assert from "node:assert/strict";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The top-level folders in order. Each folder may import only from itself and from the folders before it. */
const LAYERS = ["env", "train", "notebooks", "tasks", "test"];

/** Matches imports and exports with a relative path, except in comments. */
const IMPORTS =
  /^(?:import|export)\b[^;]*?\bfrom "(\.[^"]+)"|^import "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm;

/**
 * An import. Both the importing file and the imported file (`target`) are paths relative to the root of the repository.
 */
interface Import {
  readonly file: string;
  readonly target: string;
}

const FILES = (await Array.fromAsync(LAYERS.map(filesOf))).flat();
const IMPORTED = (await Array.fromAsync(FILES.map(importsOf))).flat();

Deno.test("imports only point to earlier folders: env, train, notebooks, tasks, test", () => {
  const levelOf = (path: string) => LAYERS.indexOf(folderOf(path));
  assert.deepEqual(
    wrong(({ file, target }) => levelOf(target) > levelOf(file)),
    [],
  );
});

Deno.test("only code for slime imports train/slime", () => {
  const mayKnow = (file: string) =>
    /^(train\/slime|tasks|test)\//.test(file) || basename(file) === "mod.ts" ||
    file === "notebooks/lib/show_plan.ts";
  assert.deepEqual(
    wrong(({ file, target }) =>
      target.startsWith("train/slime/") && !mayKnow(file)
    ),
    [],
  );
});

Deno.test("a folder's private modules are imported only within the folder", () => {
  assert.deepEqual(
    wrong(({ file, target }) =>
      basename(target).startsWith("_") && folderOf(file) !== "test" &&
      dirname(file) !== dirname(target)
    ),
    [],
  );
});

Deno.test("two modules have the same name only if they are the same part of two things", () => {
  const sources = FILES.filter((file) => folderOf(file) !== "test");
  const alike = [...Map.groupBy(sources, (file) => basename(file)).values()]
    .flatMap((files) =>
      files.flatMap((one, i) =>
        files.slice(i + 1).filter((other) => !isSamePart(one, other))
          .map((other) => `${one} and ${other}`)
      )
    );
  assert.deepEqual(alike, []);
});

/**
 * Checks whether two modules may have the same file name. They may if both are entry points or registries, if they are
 * the same part of two different domains, or if one of them is `env/domain.ts`, a task, or a check of the doctor.
 */
function isSamePart(one: string, other: string): boolean {
  const name = basename(one);
  if (/^(mod|registry)\.ts$/.test(name)) return true;
  const [domain, another] = [one, other].map((file) =>
    /^env\/domains\/(\w+)\//.exec(file)?.[1]
  );
  if (domain !== undefined && another !== undefined) return domain !== another;
  return [one, other].some((file) =>
    file === "env/domain.ts" || dirname(file) === "tasks" ||
    dirname(file) === "train/slime/doctor/checks"
  );
}

/** Returns the imports that a rule forbids, each as a sentence. */
function wrong(isWrong: (one: Import) => boolean): string[] {
  return IMPORTED.filter(isWrong)
    .map(({ file, target }) => `${file} imports ${target}`);
}

function folderOf(path: string): string {
  return path.split("/")[0] ?? "";
}

async function importsOf(file: string): Promise<Import[]> {
  const text = await Deno.readTextFile(join(ROOT, file));
  return [...text.matchAll(IMPORTS)].map(([, ...paths]) => {
    const path = paths.find((one) => one !== undefined)!;
    const target = resolve(ROOT, dirname(file), path);
    return { file, target: relative(ROOT, target) };
  });
}

async function filesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await filesOf(path));
    else if (/\.(ts|js)$/.test(name)) found.push(path);
  }
  return found;
}
