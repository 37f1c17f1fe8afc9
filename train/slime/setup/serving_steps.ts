/**
 * Creates the setup steps for a host that runs episode servers: Deno and taulab if the host is another machine, and the
 * benchmark's dataset.
 */

import type { Benchmark } from "./host_taulab.ts";
import { pathWord, quote } from "../hosts/shell.ts";
import type { HostTaulab } from "./host_taulab.ts";
import type { Package } from "./package.ts";
import { PIP_ENV } from "./python_steps.ts";
import { type Line, PARTIAL, type Step } from "./step.ts";

/**
 * The name of the file that lists the installed files with their checksums. Its first line is the id of the package.
 */
const LIST = ".taulab-files";

/**
 * Creates the step that installs this version of Deno in a separate directory, which no other program uses.
 * If the host already has this version of Deno, the step links to it. Otherwise, the step installs Deno from PyPI or
 * npm.
 */
export function denoStep({ denoDir, deno }: HostTaulab): Step {
  const version = Deno.version.deno;
  const dir = pathWord(denoDir);
  const has = (program: string) =>
    `[ "$(${program} --version 2>/dev/null | head -n 1 | cut -d' ' -f2)" = ${version} ]`;
  return {
    id: "deno",
    title: `Deno ${version} in ${denoDir}`,
    checks: "it runs and has this version",
    check: `${has(deno)} && say "done ${version}"
echo "todo absent"`,
    commands: () => [{
      script: `if ${has("deno")}; then
  mkdir -p ${dir}/bin && ln -sf "$(command -v deno)" ${deno}
elif python3 -m pip --version >/dev/null 2>&1; then
  python3 -m pip install --target ${dir} --upgrade deno==${version}
elif command -v npm >/dev/null; then
  npm install --prefix ${dir} deno@${version} && mkdir -p ${dir}/bin && ln -sf ../node_modules/.bin/deno ${deno}
else
  echo "Cannot install Deno ${version}: neither pip nor npm is installed; install one of them" >&2
  exit 127
fi`,
      env: PIP_ENV,
      network: true,
    }],
    made: () => ({ kind: "download", dir: denoDir }),
  };
}

/** Creates the step that installs this version of taulab on another host. */
export function taulabStep(
  { taulab: dir, deno }: HostTaulab,
  source: Package,
): Step {
  return {
    id: "taulab",
    title: `taulab ${source.id} in ${dir}`,
    checks:
      "its files are the same as on this machine, and none has changed there",
    check: `d=${pathWord(dir)}
[ ! -e "$d/${LIST}.old" ] || say "todo interrupted"
[ -e "$d/${LIST}" ] || { [ -e "$d" ] && [ -n "$(ls -A "$d")" ] && say "refused $d already exists and was not made by setup; move it away, or set another dir in hosts.yaml"; say "todo absent"; }
cd "$d"
changed=$(tail -n +2 ${LIST} | sha256sum -c --quiet 2>/dev/null | sed 's/: .*//' | head -n 3 | tr '\\n' ' ')
[ -z "$changed" ] || say "refused $d has local changes: \${changed}; copy what you need, then remove $d"
[ "$(head -n 1 ${LIST})" != '${source.id}' ] || say "done ${source.id}"
echo "todo $(head -n 1 ${LIST})"`,
    commands: () => taulabLines({ dir, deno }, source),
    made: () => ({ kind: "files", dir, list: LIST }),
  };
}

/**
 * Returns the commands that unpack taulab into a temporary directory, install its dependencies, remove the files of the
 * old version, and copy the new files. The old list is kept until all files have been copied, so that an interrupted
 * step is detected.
 */
function taulabLines(
  { dir, deno }: { readonly dir: string; readonly deno: string },
  source: Package,
): Line[] {
  const partial = pathWord(`${dir}${PARTIAL}`);
  const there = pathWord(dir);
  return [
    {
      script:
        `rm -rf ${partial} && mkdir -p ${partial} && base64 -d | tar -xzf - -C ${partial}`,
      input: {
        description: `${source.files} files of this taulab`,
        read: source.pack,
      },
    },
    {
      script:
        `cd ${partial} && find . -type f -exec sha256sum {} + >../${LIST}.new && { echo ${source.id}; cat ../${LIST}.new; } >${LIST}; rm -f ../${LIST}.new`,
    },
    { script: `cd ${partial} && ${deno} install --frozen`, network: true },
    {
      script:
        `mkdir -p ${there} && cd ${there} && { mv ${LIST} ${LIST}.old 2>/dev/null || : >>${LIST}.old; } && tail -n +2 ${LIST}.old | cut -c67- | tr '\\n' '\\0' | xargs -0 rm -f`,
    },
    {
      script:
        `mv ${partial}/${LIST} ${there}.list && cp -R ${partial}/. ${there} && mv ${there}.list ${there}/${LIST} && rm -rf ${there}/${LIST}.old ${partial}`,
    },
  ];
}

/** Creates the step that imports a benchmark's dataset. */
export function benchmarkDataStep(
  { benchmark, checkout, data, setBy, commit, taulab, deno }: {
    readonly benchmark: Benchmark;
    readonly checkout: string;
    readonly data: string;
    /** What sets `data`, for hints. */
    readonly setBy: string;
    readonly commit: string;
    /** The directory of taulab on the host. */
    readonly taulab: string;
    /** The command that runs Deno on the host. */
    readonly deno: string;
  },
): Step {
  return {
    id: `${benchmark}-data`,
    title: `dataset of ${benchmark} in ${data}`,
    checks: `it was imported from ${commit.slice(0, 8)}`,
    check: `d=${pathWord(data)}
[ -e "$d" ] || say "todo absent"
[ -e "$d/SOURCE.json" ] || say "refused $d already exists and was not made by an import; move it away, or choose another directory with ${setBy}"
! grep -q '"commit": "${commit}"' "$d/SOURCE.json" || say "done $d"
echo "todo other"`,
    commands: () => [{
      script: `cd ${pathWord(taulab)} && ${deno} task import --from ${
        pathWord(checkout)
      } --out ${pathWord(data)}`,
    }],
    made: (was) =>
      was === "absent" ? { kind: "download", dir: data } : undefined,
  };
}

/** Returns the path of the Deno executable that runs this program, quoted for a shell. */
export function thisDeno(): string {
  return quote(Deno.execPath());
}
