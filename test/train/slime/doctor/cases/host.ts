/** Lists test cases for the doctor's checks of hosts: GPUs, memory, disks and software. */

import {
  checkContext,
  gpuRows,
  IDLE_GPUS,
  pythonFacts,
  slimeOf,
  toldShell,
  topology,
} from "../../../../support/doctor.ts";
import { HostError } from "../../../../../env/errors.ts";
import {
  type FlagArity,
  KNOWN_FLAGS,
} from "../../../../../train/slime/plan/flag_names.ts";
import { type Case, onHost } from "./_case.ts";

const MEMINFO = "MemTotal:       1056777312 kB\n";

function volume(
  freeGb: number,
  { mount = "/", source = "/dev/sda1", writable = "yes" } = {},
): string {
  const kb = freeGb * 1e9 / 1024;
  return `${source} ${2 * kb} ${kb} ${
    Math.floor(kb)
  } 50% ${mount}\n${writable}\n`;
}

function flag(arity: FlagArity, choices: readonly string[] | null = null) {
  return { arity, choices };
}

/** Returns slime's flags as JSON, with the given changes. A change to `null` removes the flag. */
function parsers(
  more: Readonly<Record<string, ReturnType<typeof flag> | null>>,
): string {
  const all = [...KNOWN_FLAGS].map(([name, { arity }]) => [name, flag(arity)]);
  const flags = { ...Object.fromEntries(all), ...more };
  return JSON.stringify(
    Object.fromEntries(Object.entries(flags).filter(([, one]) => one !== null)),
  );
}

/** Returns what the script of the check `image` prints, with the given changes. */
function pins(more: Readonly<Record<string, string>> = {}): string {
  const all = {
    commit: "624b824a898ab0ec1fcb4d373004c7f3852bf515",
    built: "16c15fc2068db1f73313f63f0d3c90e762b025d2",
    wanted: "nightly-dev-20260810a",
    image: "nightly-dev-20260810a",
    pinned: "1dcf0dafa884ad52ffb243625717a3471643e087",
    megatron: "1dcf0dafa884ad52ffb243625717a3471643e087",
    ...more,
  };
  return Object.entries(all).map(([name, value]) => `${name} ${value}\n`)
    .join("");
}

function routerHelp(policies: string): string {
  return `usage: launch_router.py [-h] [--host HOST]
  [--policy {${policies}}]
  [--prefill-policy {${policies},bucket}]
`;
}

/** The test cases for the checks of hosts. */
export const CASES: readonly Case[] = [
  {
    check: "gpus",
    state: "pass",
    name: "two idle GPUs",
    says: /2 × NVIDIA H100 80GB HBM3, idle, driver 575/,
    world: () => onHost({ "query-gpu": IDLE_GPUS, "query-compute": "" }),
  },
  {
    check: "gpus",
    state: "pass",
    name: "more GPUs than planned, of which the others are busy",
    says: /2 × NVIDIA H100/,
    world: () =>
      onHost({
        "query-gpu": gpuRows(3),
        "query-compute": "GPU-2, 7, python3\n",
      }),
  },
  {
    check: "gpus",
    state: "fail",
    name: "fewer GPUs than planned",
    says: /nvidia-smi lists only 1 of the 2 planned GPUs/,
    fix: /--gpus all/,
    world: () => onHost({ "query-gpu": gpuRows(1) }),
  },
  {
    check: "gpus",
    state: "fail",
    name: "no nvidia-smi",
    says:
      /nvidia-smi lists no GPU, but 2 are planned: sh: nvidia-smi.*not found/,
    fix: /--skip gpus,nvlink/,
    world: () => onHost({}),
  },
  {
    check: "gpus",
    state: "fail",
    name: "a driver that does not answer",
    says: /Failed to initialize NVML/,
    fix: /fix the driver/,
    world: () =>
      onHost({
        "query-gpu": {
          code: 9,
          stdout: "Failed to initialize NVML: Unknown Error\n",
        },
      }),
  },
  {
    check: "gpus",
    state: "fail",
    name: "a process on a GPU",
    says: /GPU 1 is busy: 4 MiB are in use by python3 \(process 812\)/,
    fix: /if process 812 is yours, end it/,
    world: () =>
      onHost({
        "query-gpu": IDLE_GPUS,
        "query-compute": "GPU-1, 812, python3\n",
      }),
  },
  {
    check: "gpus",
    state: "fail",
    name: "GPU memory held outside the container",
    says:
      /GPU 0 is busy: 70000 MiB are in use by a process that nvidia-smi does not list/,
    fix: /on the host itself/,
    world: () =>
      onHost({ "query-gpu": gpuRows(2, { used: 70000 }), "query-compute": "" }),
  },
  {
    check: "gpus",
    state: "fail",
    name: "GPUs without bf16",
    says: /\(Tesla V100, compute capability 7\) does not support bf16/,
    fix: /8\.0 or above/,
    world: () =>
      onHost({
        "query-gpu": gpuRows(2, { name: "Tesla V100", capability: "7.0" }),
        "query-compute": "",
      }),
  },
  {
    check: "gpus",
    state: "fail",
    name: "unexpected output of nvidia-smi",
    says:
      /the check itself failed: RangeError: Unexpected nvidia-smi output: "mountain"/,
    fix: /report it/,
    world: () => onHost({ "query-gpu": "mountain\n" }),
  },
  {
    check: "gpus",
    state: "warn",
    name: "other GPUs than cluster.hostGpus says",
    says: /4 GPUs are visible, but cluster.hostGpus is 2/,
    fix: /set cluster.hostGpus to 4/,
    world: () =>
      onHost({ "query-gpu": gpuRows(4), "query-compute": "" }, [
        "cluster.hostGpus=2",
      ]),
  },
  {
    check: "nvlink",
    state: "pass",
    name: "NVLink between both GPUs",
    says: /connected by NVLink/,
    world: () => onHost({ topo: topology(2, "NV18") }, ["cluster.nvlink=yes"]),
  },
  {
    check: "nvlink",
    state: "fail",
    name: "PCIe, although the recipe says NVLink",
    says: /not all connected by NVLink/,
    fix: /auto or no/,
    world: () => onHost({ topo: topology(2, "SYS") }, ["cluster.nvlink=yes"]),
  },
  {
    check: "nvlink",
    state: "warn",
    name: "NVLink, although the recipe says none",
    says: /cluster\.nvlink is no/,
    fix: /auto/,
    world: () => onHost({ topo: topology(2, "NV4") }, ["cluster.nvlink=no"]),
  },
  {
    check: "nvlink",
    state: "skipped",
    name: "a single GPU",
    says: /one GPU/,
    world: () =>
      onHost({}, [
        "cluster.gpusPerNode=1",
        "parallel.tensor=1",
        "parallel.sequence=false",
      ]),
  },
  {
    check: "memory",
    state: "pass",
    name: "enough memory for a small model",
    says: /training takes about .* of a GPU of 85\.5 GB/,
    world: () =>
      onHost({ "query-gpu": IDLE_GPUS, meminfo: MEMINFO }, [
        "model.name=Qwen3-0.6B",
      ]),
  },
  {
    check: "memory",
    state: "fail",
    name: "a memory share too small for the weights",
    says: /but its weights take/,
    fix: /raise engine.memory/,
    world: () =>
      onHost({ "query-gpu": IDLE_GPUS, meminfo: MEMINFO }, [
        "engine.memory=0.05",
      ]),
  },
  {
    check: "memory",
    state: "warn",
    name: "a host with too little memory",
    says: /of the host's memory, but it has only 1\.0 GB/,
    fix: /hosts with more memory/,
    world: () =>
      onHost({ "query-gpu": IDLE_GPUS, meminfo: "MemTotal: 1000000 kB\n" }, [
        "model.name=Qwen3-0.6B",
      ]),
  },
  {
    check: "disk",
    state: "pass",
    name: "a large disk",
    says: /4 saves of 56\.3 GB/,
    world: () => onHost({ "df -Pk": volume(3000) }),
  },
  {
    check: "disk",
    state: "pass",
    name: "a large disk for all checkpoints",
    says: /25 saves of 56\.3 GB/,
    world: () => onHost({ "df -Pk": volume(3000) }, ["checkpoint.keep=null"]),
  },
  {
    check: "disk",
    state: "fail",
    name: "a disk for three checkpoints",
    says: /\/ has 200 GB free, and checkpoints.* need 235 GB/,
    fix: /keep fewer checkpoints with checkpoint\.keep .* room for 3 saves/,
    world: () => onHost({ "df -Pk": volume(200) }),
  },
  {
    check: "disk",
    state: "fail",
    name: "a directory that cannot be written to",
    says: /"\/root\/taulab-checkpoints" is not writable/,
    fix: /owner or mode/,
    world: () => onHost({ "df -Pk": volume(3000, { writable: "no" }) }),
  },
  {
    check: "disk",
    state: "fail",
    name: "a df that fails",
    says:
      /Cannot determine the free disk space for "\/root\/taulab-checkpoints" on gpu1: df: stale handle/,
    fix: /check that the directory is accessible/,
    world: () => onHost({ "df -Pk": { code: 1, stderr: "df: stale handle" } }),
  },
  {
    check: "disk",
    state: "warn",
    name: "two hosts with separate disks",
    says: /is on a separate disk on each host/,
    fix: /storage that all hosts share/,
    world: () =>
      checkContext(slimeOf(), {
        hosts: ["gpu1", "gpu2"].map((name) =>
          toldShell({ "df -Pk": volume(3000) }, name)
        ),
      }),
  },
  {
    check: "shared-memory",
    state: "pass",
    name: "64 GB",
    says: /64\.0 GB free of 128 GB/,
    world: () => onHost({ "df -Pk": volume(64, { mount: "/dev/shm" }) }),
  },
  {
    check: "shared-memory",
    state: "fail",
    name: "Docker's default",
    says: /\/dev\/shm has 0\.1 GB/,
    fix: /--shm-size=32g/,
    world: () => onHost({ "df -Pk": volume(0.064 / 2, { mount: "/dev/shm" }) }),
  },
  {
    check: "router",
    state: "pass",
    name: "slime's build",
    says: /the run uses consistent_hashing/,
    world: () =>
      onHost({ launch_router: routerHelp("random,consistent_hashing,manual") }),
  },
  {
    check: "router",
    state: "pass",
    name: "PyPI's",
    says: /the run uses manual/,
    world: () => onHost({ launch_router: routerHelp("cache_aware,manual") }),
  },
  {
    check: "router",
    state: "warn",
    name: "a router that keeps no episode on one engine",
    says: /policy cache_aware may send an episode's turns to several engines/,
    fix: /slime's build/,
    world: () => onHost({ launch_router: routerHelp("random,cache_aware") }),
  },
  {
    check: "router",
    state: "fail",
    name: "a policy that it does not support",
    says:
      /is consistent_hashing, but the router only supports cache_aware, manual/,
    fix: /engine\.routerPolicy to auto/,
    world: () =>
      onHost({ launch_router: routerHelp("cache_aware,manual") }, [
        "engine.routerPolicy=consistent_hashing",
      ]),
  },
  {
    check: "router",
    state: "fail",
    name: "no router",
    says:
      /Cannot list the policies of the router .*No module named sglang_router/,
    fix: /install sglang-router/,
    world: () =>
      onHost({
        launch_router: { code: 1, stderr: "No module named sglang_router" },
      }),
  },
  {
    check: "flags",
    state: "pass",
    name: "a newer slime with an additional flag",
    says: /the installed slime has all \d+ flags of the run/,
    world: () =>
      onHost(
        { "": parsers({ "--a-newer-flag": flag("value") }) },
        ["flags.a-newer-flag=3"],
      ),
  },
  {
    check: "flags",
    state: "fail",
    name: "a slime that has dropped flags",
    says:
      /no flag --(balance-data \(rollout\.balance\)|log-passrate \(flags\.log-passrate\))/,
    fix: /the commit that "deno task setup" pins/,
    world: () =>
      onHost(
        { "": parsers({ "--balance-data": null, "--log-passrate": null }) },
        ["flags.log-passrate=true"],
      ),
  },
  {
    check: "flags",
    state: "fail",
    name: "a flag that takes other values",
    says:
      /--lr-decay-style of the installed slime must be one of linear, cosine, but optimizer\.decay is constant|--num-rollout of the installed slime takes no value/,
    fix: /set optimizer\.decay to one|or change rollout\.steps$/,
    world: () =>
      onHost({
        "": parsers({
          "--num-rollout": flag("bare"),
          "--lr-decay-style": flag("value", ["linear", "cosine"]),
        }),
      }),
  },
  {
    check: "flags",
    state: "warn",
    name: "a slime whose flags cannot be read",
    says: /cannot read the installed slime's flags \(.*No module named 'slime'/,
    fix: /"software" and "hook"/,
    world: () => onHost({ "": { code: 1, stderr: "No module named 'slime'" } }),
  },
  {
    check: "flags",
    state: "fail",
    name: "a misspelled flag if slime's flags cannot be read",
    says: /flags\.log-pasrate: train\.py has no flag/,
    fix: /did you mean "log-passrate"\?/,
    world: () =>
      onHost({ "": { code: 1, stderr: "no" } }, ["flags.log-pasrate=true"]),
  },
  {
    check: "image",
    state: "pass",
    name: "the commit that the image was made with",
    says: /slime at 624b824a8 matches its image nightly-dev-20260810a/,
    world: () => onHost({ "version.txt": pins() }),
  },
  {
    check: "image",
    state: "skipped",
    name: "no checkout",
    says: /does not name the image/,
    world: () => onHost({ "version.txt": "commit \nbuilt \nwanted \n" }),
  },
  {
    check: "image",
    state: "warn",
    name: "a commit that was moved inside an older image",
    says:
      /needs the image nightly-dev-20260810a, but the image on this host is nightly-1/,
    fix:
      /--image slimerl\/slime:nightly-dev-20260810a-cu129", or .* --slime-commit 16c15fc/,
    world: () => onHost({ "version.txt": pins({ image: "nightly-1" }) }),
  },
  {
    check: "image",
    state: "warn",
    name: "another Megatron-LM",
    says: /Megatron-LM is at 3714d81d4, but slime at 624b824a8 needs 1dcf/,
    fix: /slime's patch/,
    world: () => onHost({ "version.txt": pins({ megatron: "3714d81d418c" }) }),
  },
  {
    check: "image",
    state: "fail",
    name: "an unreachable host",
    says: /gone/,
    fix: /fix the cause/,
    world: () =>
      checkContext(slimeOf(), {
        hosts: [{
          ...toldShell({}),
          run: () => Promise.reject(new HostError("gone")),
        }],
      }),
  },
  {
    check: "software",
    state: "pass",
    name: "the image",
    says: /slime 624b824a8, Python 3\.12\.3, torch 2\.9\.1, ray 2\.49\.2/,
    world: () =>
      onHost({
        "importlib.metadata": pythonFacts(),
        "nvidia-smi": "| Driver Version: 575.57  CUDA Version: 12.9 |",
      }),
  },
  {
    check: "software",
    state: "fail",
    name: "a Python without SGLang",
    says: /lacks sglang, torch-memory-saver/,
    fix: /deno task setup/,
    world: () =>
      onHost({
        "importlib.metadata": pythonFacts({}, {
          sglang: null,
          "torch-memory-saver": null,
        }),
      }),
  },
  {
    check: "software",
    state: "fail",
    name: "no Python",
    says: /"python3" does not work on this host: /,
    fix: /paths.python/,
    world: () => onHost({}),
  },
  {
    check: "software",
    state: "fail",
    name: "a slime that cannot load Hugging Face directories",
    says: /too old/,
    fix: /deno task convert/,
    world: () =>
      onHost({ "importlib.metadata": pythonFacts({ parts: ["train.py"] }) }),
  },
  {
    check: "software",
    state: "fail",
    name: "a slime without the script of asynchronous training",
    says: /"\/root\/slime" does not contain slime with train_async\.py/,
    fix: /deno task setup/,
    world: () =>
      onHost({ "importlib.metadata": pythonFacts({ parts: ["train.py"] }) }, [
        "algorithm.async=one-step",
        "cluster.colocate=false",
        "cluster.rolloutGpus=1",
      ]),
  },
  {
    check: "software",
    state: "pass",
    name: "an old slime with converted weights",
    says: /slime 624/,
    world: () =>
      onHost({ "importlib.metadata": pythonFacts({ parts: ["train.py"] }) }, [
        "model.reference=/root/converted",
      ]),
  },
  {
    check: "software",
    state: "fail",
    name: "a driver that is too old",
    says: /built for CUDA 13\.0, but the driver supports up to 12\.4/,
    fix: /driver for CUDA 13, or use an image for CUDA 12/,
    world: () =>
      onHost({
        "importlib.metadata": pythonFacts({ cuda: "13.0" }),
        "nvidia-smi": "CUDA Version: 12.4",
      }),
  },
  {
    check: "software",
    state: "warn",
    name: "a driver that is a little older",
    says: /built for CUDA 12\.9, but the driver supports up to 12\.4/,
    fix: /driver for CUDA 12\.9/,
    world: () =>
      onHost({
        "importlib.metadata": pythonFacts(),
        "nvidia-smi": "CUDA Version: 12.4",
      }),
  },
  {
    check: "software",
    state: "fail",
    name: "hosts that differ",
    says:
      /the software differs from that on gpu1: torch 2\.8\.0 \(2\.9\.1 on gpu1\), python 3\.10\.1/,
    fix: /use the same image on all hosts/,
    world: () =>
      checkContext(slimeOf(), {
        hosts: [
          toldShell({ "importlib.metadata": pythonFacts() }),
          toldShell({
            "importlib.metadata": pythonFacts({ python: "3.10.1" }, {
              torch: "2.8.0",
            }),
          }, "gpu2"),
        ],
      }),
  },
];
