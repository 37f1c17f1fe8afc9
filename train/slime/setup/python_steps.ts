/**
 * Creates the setup steps for Python: a virtual environment on a host without a container, slime, and the packages that
 * slime needs.
 */

import { join } from "node:path";
import { pathWord } from "../hosts/shell.ts";
import type { Step } from "./step.ts";

/** The Python interpreter to use, and the directories of slime and Megatron-LM. */
export interface PythonOptions {
  /** The name or the path of the interpreter. */
  readonly python: string;
  readonly slime: string;
  readonly megatron: string;
  /**
   * Whether the interpreter is on the host itself instead of in a container. On the host, setup installs nothing into
   * the system's Python, unless it already has the packages that slime needs.
   */
  readonly bare: boolean;
}

/** Environment variables that disable pip's prompts. */
export const PIP_ENV = {
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  PIP_NO_INPUT: "1",
};

/** Creates the step that makes a virtual environment in `dir` with the interpreter `python`. */
export function venvStep(dir: string, python: string): Step {
  const bin = pathWord(join(dir, "bin/python"));
  const mark = pathWord(join(dir, MARK));
  return {
    id: "venv",
    title: `virtual environment in ${dir}`,
    checks: "its Python runs and has pip",
    check: `d=${pathWord(dir)}
needs ${
      pathWord(python)
    } "install it, or choose another with --set paths.python=PYTHON"
! ${bin} -m pip --version >/dev/null 2>&1 || say "done $(${bin} --version)"
[ ! -e "$d" ] || [ -e ${mark} ] || [ -z "$(ls -A "$d")" ] || say "refused $d already exists and is not a virtual environment; choose another directory with --venv or in hosts.yaml"
echo "todo absent"`,
    commands: () => [
      { script: `mkdir -p ${pathWord(dir)} && : >${mark}` },
      { script: `${pathWord(python)} -m venv ${pathWord(dir)}` },
    ],
    made: () => ({ kind: "venv", dir }),
  };
}

/** The name of the file that marks a virtual environment as created by setup. */
export const MARK = ".taulab-setup";

/**
 * Creates the step that installs the packages of slime's requirements.txt. The published image already contains them,
 * so this step is only used without a container.
 */
export function requirementsStep(options: PythonOptions): Step {
  const { python, slime, bare } = options;
  const file = pathWord(join(slime, "requirements.txt"));
  return {
    id: "requirements",
    title: "the packages of slime's requirements.txt",
    inside: !bare,
    checks: "each package is installed, in any version",
    check: `[ -e ${file} ] || say "todo slime is not installed yet"
${ownPython(options)}
"$p" -c '${REQUIREMENTS}' ${file}`,
    commands: () => [{
      script: `${pathWord(python)} -m pip install -r ${file}`,
      env: PIP_ENV,
      network: true,
    }],
    made: () => ({ kind: "requirements", python }),
  };
}

/** Creates the step that installs slime from its checkout, so that the code of the pinned commit is used. */
export function slimePackageStep(options: PythonOptions): Step {
  const { python, slime, bare } = options;
  return {
    id: "slime-package",
    title: "slime installed from its checkout",
    inside: !bare,
    checks: `Python imports slime from ${slime}`,
    check: `${ownPython(options)}
w=$(cd / && "$p" -c '${WHERE_SLIME}') || say "refused $p cannot search for packages; check that it starts without errors"
[ -d ${pathWord(slime)} ] || say "todo $w"
[ "$w" != "$(cd ${pathWord(slime)} && pwd -P)" ] || say "done $w"
echo "todo $w"`,
    commands: () => [{
      script: `${pathWord(python)} -m pip install --no-deps -e ${
        pathWord(slime)
      }`,
      env: PIP_ENV,
      network: true, // fetches build dependencies
    }],
    made: (was) => ({ kind: "package", python, name: "slime", was }),
  };
}

/**
 * Creates the step that checks that slime's large dependencies, such as PyTorch, SGLang and Megatron-LM, are installed.
 * Setup does not install them.
 */
export function packagesStep(options: PythonOptions): Step {
  const { python, slime, megatron, bare } = options;
  const direct = pathWord(
    join(slime, "slime/backends/megatron_utils/hf_to_megatron"),
  );
  const hint = bare
    ? "create an environment with slime's build_conda.sh, and pass its Python with --set paths.python=PYTHON"
    : "choose a newer image with --image";
  return {
    id: "packages",
    title: "Ray, SGLang, PyTorch and Megatron",
    inside: !bare,
    checks: "all are installed, and slime can load Hugging Face directories",
    check: `m=${pathWord(megatron)}
[ -d "$m/megatron/core" ] || say "refused $m does not contain Megatron-LM; pass its directory with --set paths.megatron=DIR, or ${hint}"
[ -d ${direct} ] || say "refused this slime cannot load Hugging Face directories; pass a newer commit with --slime-commit"
v=$(${
      pathWord(python)
    } -c '${VERSIONS}') || say "refused not installed: \${v:-Python itself}; ${hint}"
echo "done $v"`,
  };
}

/**
 * Returns shell lines that set `$p` to the interpreter. They reject the system's Python, unless it already has the
 * packages that slime needs, as in slime's image.
 */
function ownPython({ python, bare }: PythonOptions): string {
  if (!bare) return `p=${pathWord(python)}`;
  return `p=${pathWord(python)}
command -v "$p" >/dev/null || say "todo absent"
o=$("$p" -c '${IS_OWN}') || say "refused $p does not run; set a virtual environment with --venv DIR or in hosts.yaml, or a Python with --set paths.python=PYTHON"
[ "$o" = own ] || say "refused $p is the system's own Python and has no SGLang and Ray, and setup does not install packages into it; set a virtual environment with --venv DIR or in hosts.yaml"`;
}

// These scripts must not contain single quotes, because they are quoted in a shell.

const IS_OWN = `import os, sys
from importlib.util import find_spec
own = sys.prefix != sys.base_prefix or os.path.isdir(os.path.join(sys.prefix, "conda-meta"))
print("own" if own or all(find_spec(name) for name in ["ray", "sglang", "torch"]) else "system")`;

const WHERE_SLIME = `import importlib.util, os
spec = importlib.util.find_spec("slime")
print(os.path.realpath(os.path.dirname(list(spec.submodule_search_locations)[0])) if spec else "absent")`;

const VERSIONS = `import sys
from importlib.metadata import version, PackageNotFoundError
found, missing = [], []
for name in ["slime", "httpx", "ray", "sglang", "torch"]:
    try:
        found.append(name + " " + version(name))
    except PackageNotFoundError:
        missing.append(name)
print(", ".join(missing or found))
sys.exit(1 if missing else 0)`;

const REQUIREMENTS = `import re, sys
from importlib.metadata import version, PackageNotFoundError
names = [re.split(r"[\\[<>=!~; ]", line.split("#")[0].strip())[0] for line in open(sys.argv[1])]
missing = []
for name in filter(None, names):
    try:
        version(name)
    except PackageNotFoundError:
        missing.append(name)
print("todo missing " + ", ".join(missing) if missing else "done " + str(len(list(filter(None, names)))) + " packages")`;
