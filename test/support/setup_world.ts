/**
 * Provides fixtures for tests of `deno task setup`: repositories to clone, and fake programs `git`, `docker`, `python3`
 * and `hf` that record their calls and fail on request.
 */

import { dirname, join } from "node:path";
import type { Host } from "../../train/slime/hosts/hosts_file.ts";
import { readPackage } from "../../train/slime/setup/package.ts";
import {
  type SetupOptions,
  setupSettings,
} from "../../train/slime/setup/setup_options.ts";
import type { SetupContext } from "../../train/slime/setup/run_setup.ts";
import { resolveSlime } from "../../train/slime/slime_config.ts";
import { checkoutFiles } from "./tau_checkout.ts";
import { runProgram } from "./programs.ts";

/** A repository with two commits, whose hashes are `first` and `second`. */
export interface Repository {
  readonly url: string;
  readonly first: string;
  readonly second: string;
}

/**
 * Creates a repository in slime's layout.
 * @param files The contents of additional files, keyed by path.
 */
export function slimeRepository(
  dir: string,
  files: Iterable<readonly [string, string]> = [],
): Promise<Repository> {
  return repository(
    dir,
    new Map([
      ["slime/__init__.py", ""],
      ["slime/backends/megatron_utils/hf_to_megatron/__init__.py", ""],
      ["requirements.txt", "httpx[http2]\nray[default]\n"],
      [".gitignore", "*.egg-info/\n"],
      ...files,
    ]),
  );
}

/** Creates a repository in τ-bench's layout. */
export function tauBenchRepository(dir: string): Promise<Repository> {
  return repository(dir, checkoutFiles());
}

async function repository(
  dir: string,
  files: ReadonlyMap<string, string>,
): Promise<Repository> {
  for (const [path, text] of files) {
    await Deno.mkdir(dirname(join(dir, path)), { recursive: true });
    await Deno.writeTextFile(join(dir, path), text);
  }
  await git(dir, "init", "-q", "-b", "main");
  const first = await commit(dir, "one");
  await Deno.writeTextFile(join(dir, "NEWS"), "more\n");
  const second = await commit(dir, "two");
  return { url: dir, first, second };
}

/**
 * Commits all files in a checkout.
 * @returns The hash of the commit.
 */
export async function commit(dir: string, message: string): Promise<string> {
  await git(dir, "add", "-A");
  const who = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
  await git(dir, ...who, "commit", "-q", "-m", message);
  return (await git(dir, "rev-parse", "HEAD")).trim();
}

/** Runs git in a checkout. */
export function git(dir: string, ...args: string[]): Promise<string> {
  return runProgram("git", ["-C", dir, ...args]);
}

/**
 * Installs the fake programs in the directory `bin` of a host. They append each call as a line to the file `calls` in
 * `root`. If `root` has a file `NAME.mode`, its content is the mode in which the program fails: `fail` (exits with
 * status 1 and a message), `fail-once`, or `hang` (stops halfway). The `deno` in `bin` is too old to serve, and the one
 * in `root` is the current Deno.
 */
export async function installPrograms(
  bin: string,
  root: string,
): Promise<void> {
  const { deno, ...programs } = await programTexts(root);
  const files = {
    ...Object.fromEntries(
      Object.entries(programs).map(([name, text]) => [join(bin, name), text]),
    ),
    [join(root, "deno")]: deno!,
    [join(bin, "deno")]: "#!/bin/sh\necho deno 1.0.0\n", // too old to serve
  };
  for (const [path, text] of Object.entries(files)) {
    await Deno.writeTextFile(path, text, { mode: 0o755 });
  }
}

/**
 * Returns the sources of the fake programs, keyed by name. The fake pip installs the `deno` that is stored in `root`.
 * @param realPython The program that handles calls that the fake `python3` does not handle. By default, these calls do
 * nothing.
 */
export async function programTexts(
  root: string,
  realPython = "true",
): Promise<Record<string, string>> {
  const { denoDir } = JSON.parse(
    await runProgram(Deno.execPath(), ["info", "--json"]),
  );
  const realGit = (await runProgram("sh", ["-c", "command -v git"])).trim();
  const programs: Record<string, string> = {
    git: GIT.replaceAll("REAL", realGit),
    docker: DOCKER,
    python3: PYTHON.replaceAll("REAL", realPython),
    hf: HF,
  };
  const texts = Object.entries(programs).map(([name, body]) => {
    const head = HEAD.replaceAll("ROOT", root).replaceAll("NAME", name);
    return [name, `${head}${body}`];
  });
  const deno = `#!/bin/sh\nDENO_DIR=${denoDir} exec ${Deno.execPath()} "$@"\n`;
  return { ...Object.fromEntries(texts), deno };
}

/** Returns the recorded calls that make changes, in order. */
export async function changes(root: string): Promise<string[]> {
  const text = await Deno.readTextFile(join(root, "calls")).catch(() => "");
  const changing =
    /^(git .*\b(init|fetch|checkout|clone|update-ref|remote add)\b|docker (pull|run|start|rm|image rm)|python3 -m (venv|pip (install|uninstall))|hf download)/;
  return text.split("\n").filter((line) => changing.test(line));
}

/** Sets the mode in which a fake program fails. With `undefined`, the program succeeds again. */
export function misbehave(
  root: string,
  program: string,
  mode: "fail" | "fail-once" | "hang" | undefined,
): Promise<void> {
  const file = join(root, `${program}.mode`);
  return mode === undefined
    ? Deno.remove(file)
    : Deno.writeTextFile(file, mode);
}

const HEAD = `#!/bin/sh
root=ROOT
echo "NAME $*" >>"$root/calls"
mode=$(cat "$root/NAME.mode" 2>/dev/null)
if [ "$mode" = fail-once ]; then rm "$root/NAME.mode"; fi
misbehave() {
  case "$mode" in
    fail*) echo "NAME: out of luck" >&2; exit 1;;
    hang) exec sh -c "sleep 4730; : $root";;
  esac
}
`;

const GIT = `case "$*" in *fetch*) misbehave;; esac
exec REAL "$@"
`;

/** The source of a fake `docker` whose containers are the host itself. */
const DOCKER = `mkdir -p "$root/images" "$root/containers"
key() { echo "$1" | tr '/:' '__'; }
case "$1 $2" in
  "version ") ;;
  "pull "*) misbehave; : >"$root/images/$(key "$2")";;
  "image inspect") shift $(($# - 1)); [ -e "$root/images/$(key "$1")" ] && echo sha256:1;;
  "image rm") rm "$root/images/$(key "$3")";;
  "container inspect")
    format=$4; [ "$3" = -f ] || format=; shift $(($# - 1))
    state=$(cat "$root/containers/$1" 2>/dev/null) || exit 1
    case "$format" in *Running*) echo "$state";; *) echo "$state" | cut -d' ' -f2;; esac;;
  "run "*)
    misbehave
    while [ "$1" ]; do
      case "$1" in --name) name=$2;; --label) label=\${2#*=};; esac
      shift
    done
    echo "true $label" >"$root/containers/$name";;
  "start "*) sed -i 's/^false/true/' "$root/containers/$2";;
  "rm -f") rm "$root/containers/$3";;
  "exec -i") grep -q ^true "$root/containers/$3" || exit 1; shift 3; exec "$@";;
  *) echo "docker: what is $*" >&2; exit 125;;
esac
`;

const PYTHON = `site="$root/site"; mkdir -p "$site"
case "$1 $2" in
  "-m venv") misbehave; mkdir -p "$3/bin"; cp "$0" "$3/bin/python";;
  "-m pip")
    case "$3" in
      install)
        misbehave
        case "$4" in
          -r) : >"$site/requirements";;
          --target) mkdir -p "$5/bin"; cp "$root/deno" "$5/bin/deno";;
          *) (cd "$6" && pwd -P >"$site/slime");;
        esac;;
      uninstall) rm "$site/slime";;
      show) [ -e "$site/slime" ];;
    esac;;
  "--version ") echo "Python 3.12.0";;
  "-c "*)
    case "$2" in
      *base_prefix*) case "$0" in */bin/python | /opt/image/*) echo own;; *) echo system;; esac;;
      *find_spec*) cat "$site/slime" 2>/dev/null || echo absent;;
      *sglang*) echo "slime 0.3.1, ray 2.49.2";;
      *sys.argv*) [ -e "$site/requirements" ] && echo "done 2 packages" || echo "todo missing httpx";;
      *) exec REAL "$@";;
    esac;;
  *) exec REAL "$@";;
esac
`;

/**
 * The source of a fake `hf` that downloads two shards with four bytes of tensors each. A download that fails or hangs
 * leaves the second shard truncated.
 */
const HF = `d=$6; mkdir -p "$d/.cache"
shard() { printf '\\074\\0\\0\\0\\0\\0\\0\\0%s1234' '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]      }}'; }
for f in config.json tokenizer.json tokenizer_config.json; do echo '{}' >"$d/$f"; done
echo '{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}' >"$d/model.safetensors.index.json"
shard >"$d/model-00001-of-00002.safetensors"
[ -z "$mode" ] || shard | head -c 70 >"$d/model-00002-of-00002.safetensors"
misbehave
shard >"$d/model-00002-of-00002.safetensors"
`;

/** Options for {@linkcode worldOptions}: the hosts and the repositories of a setup. */
export interface WorldOptions {
  readonly hosts: readonly (Host | undefined)[];
  readonly slime: Repository;
  readonly tauBench: Repository;
  readonly set?: Readonly<Record<string, unknown>>;
}

/**
 * Returns the options of a setup that installs everything in the home directories of hosts, without containers. The
 * checkout of Megatron-LM must already exist.
 */
export async function worldOptions(
  { hosts, slime, tauBench, set = {} }: WorldOptions,
): Promise<SetupOptions> {
  const values = {
    "model.name": "Qwen3-0.6B",
    "model.directory": "~/model",
    "paths.slime": "~/slime",
    "paths.megatron": "~/megatron",
    ...set,
  };
  const overrides = Object.entries(values).map(([key, value]) => ({
    path: key.split("."),
    value,
    origin: `--set ${key}`,
  }));
  const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
  return {
    ...resolveSlime({ name: "t.yaml", text: "trainer: slime" }, overrides),
    hosts,
    serving: [],
    here: undefined,
    inContainer: false,
    ...setupSettings.parse({
      ...{ in: "bare", venv: "~/venv" },
      ...{ slimeUrl: slime.url, slimeCommit: slime.second },
      ...{ tauBenchUrl: tauBench.url, tauBenchCommit: tauBench.second },
    }),
    token: undefined,
    root,
    taulab: await readPackage(root),
    only: [],
  };
}

/** Returns the context of a setup that does not wait between retries. */
export function worldContext(signal?: AbortSignal): SetupContext {
  return {
    run: crypto.randomUUID(),
    signal: signal ?? new AbortController().signal,
    secrets: [],
    sleep: () => Promise.resolve(),
    now: () => new Date(0),
  };
}
