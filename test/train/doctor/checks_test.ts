import assert from "node:assert/strict";
import { join } from "node:path";
import denoConfig from "../../../deno.json" with { type: "json" };
import type { CheckContext } from "../../../train/doctor/check.ts";
import { CHECKS } from "../../../train/doctor/checks.ts";
import { examine } from "../../../train/doctor/examine.ts";
import { generated } from "../../../env/data/generated/generated.ts";
import { localShell } from "../../../train/hosts/local_shell.ts";
import {
  checkContext,
  gpuRows,
  hfConfig,
  IDLE_GPUS,
  pathServer,
  pythonFacts,
  slimeConfig,
  toldShell,
  topology,
  writeEvaluation,
  writeModel,
} from "../../fakes/doctor.ts";
import { chatAnswer, modelServer } from "../../fakes/model_server.ts";
import { inTempDir } from "../../fakes/temp_dir.ts";

/** One world for a check. */
interface Case {
  readonly check: string;
  readonly state: "pass" | "warn" | "fail" | "skipped";
  /** What it is a case of. */
  readonly name: string;
  /** What is found, for all but passes also how it is mended. */
  readonly says: RegExp;
  readonly mend?: RegExp;
  readonly world: (
    held: AsyncDisposableStack,
    dir: string,
  ) => CheckContext | Promise<CheckContext>;
}

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

function onHost(
  answers: Parameters<typeof toldShell>[0],
  sets: readonly string[] = [],
): CheckContext {
  return checkContext(slimeConfig(sets), { hosts: [toldShell(answers)] });
}

function ports(table: string, sets: readonly string[] = []): CheckContext {
  return onHost({ "/proc/net/tcp": table }, [
    "cluster.dashboardPort=1",
    ...sets,
  ]);
}

const LISTENS_3100 =
  "   0: 0100007F:0C1C 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1\n";
/** Established, not listening. */
const TALKS_3100 =
  "   0: 0100007F:0C1C 0100007F:0C1D 01 00000000:00000000 00:00000000 00000000 0 0 1 1\n";

function rayAt(
  { url }: { url: string },
  { installed = "2.49.2", sets = [] as string[] } = {},
): CheckContext {
  return onHost({ "importlib.metadata": pythonFacts({}, { ray: installed }) }, [
    `cluster.dashboardPort=${new URL(url).port}`,
    ...sets,
  ]);
}

function rayServer(jobs: unknown[], gpus = [0, 2]) {
  return pathServer({
    "/api/version": { ray_version: "2.49.2", session_name: "s" },
    "/api/jobs/": jobs,
    "/api/cluster_status": {
      data: {
        clusterStatus: { loadMetricsReport: { usage: { GPU: gpus } } },
      },
    },
  });
}

const job = {
  type: "SUBMISSION",
  submission_id: "old-run",
  job_id: "01000000",
  status: "RUNNING",
  entrypoint: "python3 train.py",
};

async function atModel(
  dir: string,
  {
    sets = [] as string[],
    change = () => Promise.resolve() as Promise<unknown>,
  } = {},
): Promise<CheckContext> {
  const directory = join(dir, "model");
  await writeModel(directory);
  await change();
  const config = slimeConfig([
    "model.name=Qwen3-0.6B",
    `model.directory=${directory}`,
    ...sets,
  ]);
  return checkContext(config, { hosts: [localShell()] });
}

/** A host with a model's small files, and a Python that answers as told. */
async function toldPython(
  dir: string,
  answer: Parameters<typeof toldShell>[0][string],
): Promise<CheckContext> {
  const directory = join(dir, "model");
  await writeModel(directory);
  const real = localShell();
  const told = toldShell({ "-B -": answer });
  const config = slimeConfig([`model.directory=${directory}`]);
  const shell = {
    ...real,
    run: (command: Parameters<typeof real.run>[0]) =>
      command.script.endsWith("-B -") ? told.run(command) : real.run(command),
  };
  return checkContext(config, { hosts: [shell] });
}

function withUser(
  url: string,
  sets: readonly string[] = [],
): CheckContext {
  return checkContext(slimeConfig([
    "user.strategy=llm",
    "user.endpoint.provider=vllm",
    "user.endpoint.model=some/model",
    `user.endpoint.baseUrl=${url}/v1`,
    ...sets,
  ]));
}

function customerServer(
  held: AsyncDisposableStack,
  headers: Record<string, string> = {},
  status = 200,
) {
  return held.use(modelServer({
    answer: () =>
      Response.json(
        status === 200
          ? chatAnswer("Hi, my desk is broken.")
          : { error: "slow down" },
        { status, headers },
      ),
  }));
}

async function episodeServer(
  held: AsyncDisposableStack,
  more: Record<string, unknown> = {},
) {
  const { fingerprint } = await generated(1, {
    trainTasks: 40,
    devTasks: 4,
    testTasks: 4,
  });
  return held.use(pathServer({
    "/health": { status: "ok" },
    "/info": {
      version: denoConfig.version,
      data: "generated",
      fingerprint,
      agent: "tool-calling",
      user: "scripted",
      max_turns: 30,
      ...more,
    },
  }));
}

async function evaluated(
  dir: string,
  counts: { solved: number; scored: number },
  sets: readonly string[] = [],
): Promise<CheckContext> {
  await writeEvaluation(join(dir, "base"), counts);
  const config = slimeConfig(["model.name=Qwen3-0.6B", ...sets]);
  return checkContext(config, { runs: dir });
}

async function rowFile(dir: string, lines: readonly unknown[]) {
  const path = join(dir, "rows.jsonl");
  const text = lines.map((line) =>
    typeof line === "string" ? line : JSON.stringify(line)
  );
  await Deno.writeTextFile(path, text.join("\n") + "\n");
  return checkContext(
    slimeConfig(["rollout.batchSize=8", "rollout.globalBatchSize=64"]),
    {
      rowFiles: [path],
    },
  );
}

function row(index: number, metadata: Record<string, unknown> = {}) {
  return { index, metadata: { split: "train", env: "retail", ...metadata } };
}

const EIGHT = Array.from({ length: 8 }, (_, i) => row(i));

const CASES: readonly Case[] = [
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
    name: "more GPUs than planned, the others busy",
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
    says: /1 GPUs are visible and 2 are planned/,
    mend: /--gpus all/,
    world: () => onHost({ "query-gpu": gpuRows(1) }),
  },
  {
    check: "gpus",
    state: "fail",
    name: "no nvidia-smi",
    says: /0 GPUs are visible and 2 are planned: sh: nvidia-smi.*not found/,
    mend: /--skip gpus,nvlink/,
    world: () => onHost({}),
  },
  {
    check: "gpus",
    state: "fail",
    name: "a driver that does not answer",
    says: /Failed to initialize NVML/,
    mend: /mend the driver/,
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
    says: /GPU 1 is busy: 4 MiB are held by python3 \(process 812\)/,
    mend: /end 812 if it is yours/,
    world: () =>
      onHost({
        "query-gpu": IDLE_GPUS,
        "query-compute": "GPU-1, 812, python3\n",
      }),
  },
  {
    check: "gpus",
    state: "fail",
    name: "memory that nobody here holds",
    says: /GPU 0 is busy: 70000 MiB are held by what runs outside/,
    mend: /on the host itself/,
    world: () =>
      onHost({ "query-gpu": gpuRows(2, { used: 70000 }), "query-compute": "" }),
  },
  {
    check: "gpus",
    state: "fail",
    name: "GPUs without bf16",
    says: /capability 7/,
    mend: /8\.0 or above/,
    world: () =>
      onHost({
        "query-gpu": gpuRows(2, { name: "Tesla V100", capability: "7.0" }),
        "query-compute": "",
      }),
  },
  {
    check: "gpus",
    state: "fail",
    name: "nonsense of nvidia-smi",
    says: /the check itself broke: RangeError: nvidia-smi says "mountain"/,
    mend: /report it/,
    world: () => onHost({ "query-gpu": "mountain\n" }),
  },
  {
    check: "gpus",
    state: "warn",
    name: "other GPUs than cluster.hostGpus says",
    says: /4 GPUs are visible and cluster.hostGpus is 2/,
    mend: /set cluster.hostGpus to 4/,
    world: () =>
      onHost({ "query-gpu": gpuRows(4), "query-compute": "" }, [
        "cluster.hostGpus=2",
      ]),
  },
  {
    check: "nvlink",
    state: "pass",
    name: "NVLink between both",
    says: /joined by NVLink/,
    world: () => onHost({ topo: topology(2, "NV18") }, ["cluster.nvlink=yes"]),
  },
  {
    check: "nvlink",
    state: "fail",
    name: "PCIe, where the recipe says NVLink",
    says: /not all joined by NVLink/,
    mend: /auto or no/,
    world: () => onHost({ topo: topology(2, "SYS") }, ["cluster.nvlink=yes"]),
  },
  {
    check: "nvlink",
    state: "warn",
    name: "NVLink, where the recipe says none",
    says: /says no/,
    mend: /auto/,
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
    name: "room for a small model",
    says: /training takes about .* of a GPU of 85\.5 GB/,
    world: () =>
      onHost({ "query-gpu": IDLE_GPUS, meminfo: MEMINFO }, [
        "model.name=Qwen3-0.6B",
      ]),
  },
  {
    check: "memory",
    state: "fail",
    name: "a share that does not hold the weights",
    says: /weights alone are/,
    mend: /raise engine.memory/,
    world: () =>
      onHost({ "query-gpu": IDLE_GPUS, meminfo: MEMINFO }, [
        "engine.memory=0.05",
      ]),
  },
  {
    check: "memory",
    state: "warn",
    name: "a host with too little memory",
    says: /of the host's memory, which is 1\.0 GB/,
    mend: /hosts with more memory/,
    world: () =>
      onHost({ "query-gpu": IDLE_GPUS, meminfo: "MemTotal: 1000000 kB\n" }, [
        "model.name=Qwen3-0.6B",
      ]),
  },
  {
    check: "disk",
    state: "pass",
    name: "a large disk",
    says: /25 saves of 56\.3 GB/,
    world: () => onHost({ "df -Pk": volume(3000) }),
  },
  {
    check: "disk",
    state: "fail",
    name: "a disk for five saves",
    says: /\/ has 300 GB free; checkpoints.* need 1418 GB/,
    mend: /set checkpoint.every to 100, so that there is room for 5 saves/,
    world: () => onHost({ "df -Pk": volume(300) }),
  },
  {
    check: "disk",
    state: "fail",
    name: "a directory that cannot be written to",
    says: /"\/root\/taulab-checkpoints" cannot be written to/,
    mend: /owner or mode/,
    world: () => onHost({ "df -Pk": volume(3000, { writable: "no" }) }),
  },
  {
    check: "disk",
    state: "fail",
    name: "a df that says nothing",
    says: /df says of "\/root\/taulab-checkpoints" on gpu1: df: stale handle/,
    mend: /whether the directory can be reached/,
    world: () => onHost({ "df -Pk": { code: 1, stderr: "df: stale handle" } }),
  },
  {
    check: "disk",
    state: "warn",
    name: "two hosts with disks of their own",
    says: /each host has its own/,
    mend: /storage that all hosts share/,
    world: () =>
      checkContext(slimeConfig(), {
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
    mend: /--shm-size=32g/,
    world: () => onHost({ "df -Pk": volume(0.064 / 2, { mount: "/dev/shm" }) }),
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
    mend: /deno task setup/,
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
    says: /"python3" does not run there/,
    mend: /paths.python/,
    world: () => onHost({}),
  },
  {
    check: "software",
    state: "fail",
    name: "a slime that cannot load Hugging Face directories",
    says: /too old/,
    mend: /deno task convert/,
    world: () =>
      onHost({ "importlib.metadata": pythonFacts({ parts: ["train.py"] }) }),
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
    says: /built for CUDA 13\.0 and the driver runs up to 12\.4/,
    mend: /driver for CUDA 13, or an image for CUDA 12/,
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
    says: /built for CUDA 12\.9 and the driver runs up to 12\.4/,
    mend: /driver for CUDA 12\.9/,
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
      /differs from gpu1: torch 2\.8\.0 \(2\.9\.1 on gpu1\), python 3\.10\.1/,
    mend: /make all hosts alike/,
    world: () =>
      checkContext(slimeConfig(), {
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
  {
    check: "ports",
    state: "pass",
    name: "a port that is talked from and not listened on",
    says: /6379, 1, 3100, 15000\+, 20000\+ are free/,
    world: () => ports(TALKS_3100),
  },
  {
    check: "ports",
    state: "fail",
    name: "another on the router's port",
    says: /port 3100, for the router, is held by node \(process 77\)/,
    mend: /engine.routerPort/,
    world: () =>
      ports(
        `${LISTENS_3100}---\nLISTEN 0 128 127.0.0.1:3100 0.0.0.0:* users:(("node",pid=77,fd=3))\n`,
      ),
  },
  {
    check: "ports",
    state: "fail",
    name: "a Ray that has died holding its port",
    says: /port 6379, for Ray's head, is held by another process/,
    mend: /ray stop/,
    world: () => ports(LISTENS_3100.replace("0C1C", "18EB")),
  },
  {
    check: "ports",
    state: "pass",
    name: "the ports of a Ray that is joined",
    says: /a Ray that runs already has its own/,
    world: (held) => {
      const { url } = held.use(rayServer([]));
      const table = LISTENS_3100.replace("0C1C", "18EB");
      return ports(table, [`cluster.dashboardPort=${new URL(url).port}`]);
    },
  },
  {
    check: "ports",
    state: "warn",
    name: "an engine that an earlier run left",
    says: /ports 15000 are held; slime gives its engines those from 15000/,
    mend: /earlier run/,
    world: () => ports(LISTENS_3100.replace("0C1C", "3A98")),
  },
  {
    check: "ports",
    state: "fail",
    name: "one port for two",
    says: /port 6379 is meant for Ray's head and the router/,
    mend: /engine.routerPort/,
    world: () => ports("", ["engine.routerPort=6379"]),
  },
  {
    check: "ports",
    state: "fail",
    name: "a port of Ray's workers for its head",
    says: /port 12000, for Ray's head, is one of those that Ray gives/,
    mend: /outside of 10002 to 19999/,
    world: () => ports("", ["cluster.port=12000"]),
  },
  {
    check: "ray",
    state: "pass",
    name: "a Ray without jobs",
    says: /Ray 2\.49\.2 runs at .* it will be joined/,
    world: (held) =>
      rayAt(held.use(rayServer([{ ...job, status: "STOPPED" }]))),
  },
  {
    check: "ray",
    state: "pass",
    name: "no Ray yet",
    says: /no Ray runs yet; 2\.49\.2 will be started/,
    world: () => rayAt({ url: "http://127.0.0.1:1" }),
  },
  {
    check: "ray",
    state: "fail",
    name: "an old job",
    says: /job old-run is RUNNING: python3 train.py/,
    mend: /ray job stop old-run --address http/,
    world: (held) => rayAt(held.use(rayServer([job]))),
  },
  {
    check: "ray",
    state: "fail",
    name: "a driver that nobody submitted",
    says: /a driver is connected \(RUNNING\)/,
    mend: /end the program/,
    world: (held) =>
      rayAt(held.use(rayServer([{ ...job, submission_id: null }]))),
  },
  {
    check: "ray",
    state: "fail",
    name: "GPUs that an actor holds",
    says: /Ray has 2 GPUs, 1 of them taken, and the run needs 2/,
    mend: /stop what holds GPUs/,
    world: (held) => rayAt(held.use(rayServer([], [1, 2]))),
  },
  {
    check: "ray",
    state: "fail",
    name: "another version than runs",
    says: /Ray 2\.49\.2 runs and 2\.40\.0 is installed/,
    mend: /ray==2\.49\.2/,
    world: (held) => rayAt(held.use(rayServer([])), { installed: "2.40.0" }),
  },
  {
    check: "ray",
    state: "fail",
    name: "nothing to join",
    says: /cannot be reached.*cluster.start is false/,
    mend: /cluster.start to true/,
    world: () =>
      rayAt({ url: "http://127.0.0.1:1" }, { sets: ["cluster.start=false"] }),
  },
  {
    check: "ray",
    state: "fail",
    name: "what is no Ray on its port",
    says: /is not Ray's Jobs interface/,
    mend: /cluster.dashboardPort/,
    world: (held) =>
      rayAt(held.use(pathServer({ "/api/version": "a web shop" }))),
  },
  {
    check: "ray",
    state: "fail",
    name: "hosts with different Rays",
    says: /2\.49\.2 on gpu1, 2\.40\.0 on gpu2/,
    mend: /same version/,
    world: () =>
      checkContext(slimeConfig(["cluster.dashboardPort=1"]), {
        hosts: [
          toldShell({ "importlib.metadata": pythonFacts() }),
          toldShell({
            "importlib.metadata": pythonFacts({}, { ray: "2.40.0" }),
          }, "gpu2"),
        ],
      }),
  },
  {
    check: "model-files",
    state: "pass",
    name: "a whole model",
    says: /2 files of weights, whole, 1\.2 GB/,
    world: (_, dir) => atModel(dir),
  },
  {
    check: "model-files",
    state: "fail",
    name: "no directory",
    says: /there is no "\/root\/none"/,
    mend: /hf download Qwen\/Qwen3-4B --local-dir \/root\/none/,
    world: () =>
      checkContext(slimeConfig(["model.directory=/root/none"]), {
        hosts: [localShell()],
      }),
  },
  {
    check: "model-files",
    state: "fail",
    name: "a shard that is missing",
    says:
      /model-00002-of-00002.safetensors" is missing, and the index names it/,
    mend: /hf download/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.remove(join(dir, "model/model-00002-of-00002.safetensors")),
      }),
  },
  {
    check: "model-files",
    state: "fail",
    name: "a shard that was cut short",
    says: /is 1000 bytes long and has to be \d{9}/,
    mend: /goes on where it ended/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.truncate(
            join(dir, "model/model-00001-of-00002.safetensors"),
            1000,
          ),
      }),
  },
  {
    check: "model-files",
    state: "fail",
    name: "a shard that was cut within its header",
    says: /is 20 bytes long and its header is damaged/,
    mend: /hf download/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.truncate(
            join(dir, "model/model-00001-of-00002.safetensors"),
            20,
          ),
      }),
  },
  {
    check: "model-files",
    state: "fail",
    name: "an empty shard",
    says: /is 0 bytes long and its header is damaged/,
    mend: /hf download/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.truncate(
            join(dir, "model/model-00001-of-00002.safetensors"),
            0,
          ),
      }),
  },
  {
    check: "model-files",
    state: "fail",
    name: "a pointer of git LFS instead of a shard",
    says: /its header is damaged/,
    mend: /hf download/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.writeTextFile(
            join(dir, "model/model-00001-of-00002.safetensors"),
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
          ),
      }),
  },
  {
    check: "model-files",
    state: "fail",
    name: "an index that names tensors of another shard",
    says: /lacks 1 tensors that the index puts there, lost first/,
    mend: /hf download/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.writeTextFile(
            join(dir, "model/model.safetensors.index.json"),
            JSON.stringify({
              weight_map: {
                lost: "model-00001-of-00002.safetensors",
              },
            }),
          ),
      }),
  },
  {
    check: "model-files",
    state: "fail",
    name: "no tokenizer",
    says: /tokenizer.json" is missing or cannot be read/,
    mend: /hf download/,
    world: (_, dir) =>
      atModel(dir, {
        change: () => Deno.remove(join(dir, "model/tokenizer.json")),
      }),
  },
  {
    check: "model-config",
    state: "pass",
    name: "the recipe's model",
    says: /config.json is of Qwen3-0.6B: rope base 1000000, 28 layers/,
    world: (_, dir) => atModel(dir),
  },
  {
    check: "model-config",
    state: "fail",
    name: "the rope base of another",
    says: /rope_theta is 5000000 in the checkpoint and 1000000 for Qwen3-0.6B/,
    mend: /model.name/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.writeTextFile(
            join(dir, "model/config.json"),
            JSON.stringify({
              ...hfConfig("Qwen3-0.6B"),
              rope_theta: 5_000_000,
            }),
          ),
      }),
  },
  {
    check: "model-config",
    state: "fail",
    name: "another of our models",
    says: /num_hidden_layers is 36 in the checkpoint and 28/,
    mend: /set model.name to Qwen3-4B, which is what is there/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.writeTextFile(
            join(dir, "model/config.json"),
            JSON.stringify(hfConfig("Qwen3-4B")),
          ),
      }),
  },
  {
    check: "model-config",
    state: "fail",
    name: "weights of another size",
    says: /the weights are \d+ numbers and Qwen3-0.6B has 596049920/,
    mend: /download Qwen3-0.6B/,
    world: async (_, dir) => {
      const context = await atModel(dir);
      await Deno.remove(join(dir, "model/model-00002-of-00002.safetensors"));
      return context;
    },
  },
  {
    check: "model-config",
    state: "warn",
    name: "an end that is none",
    says: /ends answers by 151643, and <\|im_end\|> is 151645/,
    mend: /add 151645/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.writeTextFile(
            join(dir, "model/generation_config.json"),
            JSON.stringify({ eos_token_id: 151_643 }),
          ),
      }),
  },
  {
    check: "template",
    state: "fail",
    name: "a text that differs",
    says: /the text differs: character 0 begins "<\|im_start\|>/,
    mend: /update transformers/,
    world: (_, dir) =>
      toldPython(
        dir,
        JSON.stringify({ version: "5.0", text: "hi", ids: [1], size: 9 }),
      ),
  },
  {
    check: "template",
    state: "warn",
    name: "no transformers",
    says: /no transformers to compare with \(No module/,
    mend: /deno task setup/,
    world: (_, dir) =>
      toldPython(
        dir,
        JSON.stringify({ missing: "No module named 'transformers'" }),
      ),
  },
  {
    check: "template",
    state: "fail",
    name: "a Python that breaks",
    says: /cannot render a conversation: ValueError: Tokenizer class/,
    mend: /checks software and model-files/,
    world: (_, dir) =>
      toldPython(dir, {
        code: 1,
        stderr: "Traceback\nValueError: Tokenizer class X does not exist\n",
      }),
  },
  {
    check: "rows",
    state: "pass",
    name: "the rows of a launch",
    says:
      /retail_train_tasks.jsonl: 40 rows of train|share no task|4 rows of dev/,
    world: () => checkContext(slimeConfig()),
  },
  {
    check: "rows",
    state: "pass",
    name: "a file of rows",
    says: /rows.jsonl: 8 rows of train|share no task/,
    world: (_, dir) => rowFile(dir, EIGHT),
  },
  {
    check: "rows",
    state: "fail",
    name: "a line that is cut",
    says: /rows.jsonl:9: not JSON/,
    mend: /deno task mock --rows split/,
    world: (_, dir) => rowFile(dir, [...EIGHT, '{"index": 8, "meta']),
  },
  {
    check: "rows",
    state: "fail",
    name: "a row without a split, as the example writes them",
    says: /rows.jsonl:9: "metadata.split" is missing or wrong/,
    mend: /deno task mock --rows split/,
    world: (_, dir) => rowFile(dir, [...EIGHT, { index: 8, metadata: {} }]),
  },
  {
    check: "rows",
    state: "fail",
    name: "an index beyond the tasks",
    says: /rows.jsonl:9: index 40 is beyond the 40 tasks of train/,
    mend: /deno task mock/,
    world: (_, dir) => rowFile(dir, [...EIGHT, row(40)]),
  },
  {
    check: "rows",
    state: "fail",
    name: "a row of other data",
    says: /rows.jsonl:9: it is not task 8 of train in these data/,
    mend: /deno task mock/,
    world: (_, dir) =>
      rowFile(dir, [...EIGHT, row(8, { instruction: "You are another." })]),
  },
  {
    check: "rows",
    state: "fail",
    name: "a row of another world",
    says: /it is of airline and the recipe of retail/,
    mend: /deno task mock/,
    world: (_, dir) => rowFile(dir, [...EIGHT, row(8, { env: "airline" })]),
  },
  {
    check: "rows",
    state: "fail",
    name: "two splits in a file",
    says: /mixes the splits train, dev/,
    mend: /a file for each split/,
    world: (_, dir) => rowFile(dir, [...EIGHT, row(0, { split: "dev" })]),
  },
  {
    check: "rows",
    state: "fail",
    name: "fewer rows than are taken at a time",
    says: /has 7 rows, and 8 are taken at a time/,
    mend: /lower rollout.overSamplingBatchSize/,
    world: (_, dir) => rowFile(dir, EIGHT.slice(1)),
  },
  {
    check: "rows",
    state: "warn",
    name: "a task twice",
    says: /rows.jsonl:9: task 3 is there a second time/,
    mend: /one row a task/,
    world: (_, dir) => rowFile(dir, [...EIGHT, row(3)]),
  },
  {
    check: "rows",
    state: "fail",
    name: "a file that is not there",
    says: /The rows "no\/such.jsonl" cannot be read/,
    mend: /deno task mock/,
    world: () => checkContext(slimeConfig(), { rowFiles: ["no/such.jsonl"] }),
  },
  {
    check: "batch",
    state: "pass",
    name: "what fits",
    says: /2 GPUs, 2 engines, data parallel 1; 256 samples and 1 optimizer/,
    world: () => checkContext(slimeConfig()),
  },
  {
    check: "batch",
    state: "fail",
    name: "more prompts than rows",
    says: /40/,
    mend: /./,
    world: () =>
      checkContext(
        slimeConfig(["rollout.batchSize=64", "rollout.globalBatchSize=512"]),
      ),
  },
  {
    check: "context",
    state: "pass",
    name: "a prompt that fits",
    says: /the prompt has \d{4} tokens, gold calls and their answers \d+ more/,
    world: (_, dir) =>
      atModel(dir, { sets: ["parallel.maxTokensPerGpu=16384"] }),
  },
  {
    check: "context",
    state: "warn",
    name: "episodes longer than a micro-batch",
    says: /16384 tokens and a micro-batch 9216 .* lands alone .* out of memory/,
    mend: /set parallel.maxTokensPerGpu to 16384/,
    world: (_, dir) => atModel(dir),
  },
  {
    check: "context",
    state: "fail",
    name: "a prompt that leaves no room",
    says:
      /the prompt has \d{4} tokens and an answer up to 1024, and rollout.maxContextLen is 2048/,
    mend: /set rollout.maxContextLen to \d+ or more/,
    world: (_, dir) => atModel(dir, { sets: ["rollout.maxContextLen=2048"] }),
  },
  {
    check: "context",
    state: "fail",
    name: "more than the checkpoint's own positions",
    says: /maxContextLen is 16384, and Qwen3-0.6B has positions up to 8192/,
    mend: /8192 or less/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.writeTextFile(
            join(dir, "model/config.json"),
            JSON.stringify({
              ...hfConfig("Qwen3-0.6B"),
              max_position_embeddings: 8192,
            }),
          ),
      }),
  },
  {
    check: "hook",
    state: "fail",
    name: "no slime",
    says:
      /does not run beside slime: ModuleNotFoundError: No module named 'slime'/,
    mend: /paths.slime/,
    world: () =>
      onHost({
        "-B -": {
          code: 1,
          stderr: "ModuleNotFoundError: No module named 'slime'\n",
        },
      }),
  },
  {
    check: "hook",
    state: "fail",
    name: "a Sample of another slime",
    says: /sample 0: the loss mask is not response_length long/,
    mend: /the commit that deno task setup pins/,
    world: () =>
      onHost({
        "-B -": JSON.stringify({
          slime: "/root/slime",
          faults: ["sample 0: the loss mask is not response_length long"],
        }),
      }),
  },
  {
    check: "customers",
    state: "pass",
    name: "scripted customers",
    says: /scripted customers speak/,
    world: () => checkContext(slimeConfig()),
  },
  {
    check: "customers",
    state: "pass",
    name: "an endpoint with room",
    says:
      /llm some\/model speaks within .* calls a minute, and the endpoint allows 100000/,
    world: (held) =>
      withUser(
        customerServer(held, { "x-ratelimit-limit-requests": "100000" }).url,
      ),
  },
  {
    check: "customers",
    state: "fail",
    name: "an endpoint that allows fewer calls than the run makes",
    says: /calls a minute, and the endpoint allows 60: it would refuse/,
    mend: /requestsPerMinute to 60/,
    world: (held) =>
      withUser(
        customerServer(held, { "x-ratelimit-limit-requests": "60" }).url,
      ),
  },
  {
    check: "customers",
    state: "warn",
    name: "a recipe that asks for more than the endpoint allows",
    says: /comes to 100000 calls a minute .* allows 60/,
    mend: /requestsPerMinute to 60/,
    world: (held) =>
      withUser(
        customerServer(held, { "x-ratelimit-limit-requests": "60" }).url,
        [
          "user.endpoint.calls.requestsPerMinute=100000",
        ],
      ),
  },
  {
    check: "customers",
    state: "warn",
    name: "a recipe that makes sampling wait",
    says: /requestsPerMinute allows 30.* a rollout waits for it, \d+ minutes/,
    mend: /lower engine.concurrency/,
    world: (held) =>
      withUser(customerServer(held).url, [
        "user.endpoint.calls.requestsPerMinute=30",
      ]),
  },
  {
    check: "customers",
    state: "warn",
    name: "an endpoint that allows too few tokens",
    says: /tokens a minute, and the endpoint allows 1000/,
    mend: /raise the key's quota/,
    world: (held) =>
      withUser(
        customerServer(held, { "x-ratelimit-limit-tokens": "1000" }).url,
      ),
  },
  {
    check: "customers",
    state: "fail",
    name: "a 429 at the first call",
    says: /a single call is refused for its rate \(429\)/,
    mend: /raise its quota/,
    world: (held) => withUser(customerServer(held, {}, 429).url),
  },
  {
    check: "customers",
    state: "fail",
    name: "nobody there",
    says: /does not answer/,
    mend: /start the server/,
    world: () => withUser("http://127.0.0.1:1"),
  },
  {
    check: "customers",
    state: "fail",
    name: "a customer who says nothing",
    says: /does not answer in the form that it is asked for/,
    mend: /another model or strategy/,
    world: (held) =>
      withUser(held.use(modelServer({ answer: () => chatAnswer("") })).url),
  },
  {
    check: "secrets",
    state: "pass",
    name: "nothing that needs one",
    says: /none is needed/,
    world: () => checkContext(slimeConfig()),
  },
  {
    check: "secrets",
    state: "pass",
    name: "the token of an open server",
    says: /set: TAULAB_TOKEN$/,
    world: () =>
      checkContext(slimeConfig(["bridge.address=10.0.0.1"]), {
        env: (name) => name === "TAULAB_TOKEN" ? "any" : undefined,
      }),
  },
  {
    check: "secrets",
    state: "fail",
    name: "an open server without a token",
    says:
      /TAULAB_TOKEN is not set, and servers of episodes listen on 10\.0\.0\.1/,
    mend: /set TAULAB_TOKEN/,
    world: () => checkContext(slimeConfig(["bridge.address=10.0.0.1"])),
  },
  {
    check: "secrets",
    state: "fail",
    name: "a provider without its key",
    says: /No key for gemini/,
    mend: /set GEMINI_API_KEY/,
    world: () =>
      checkContext(slimeConfig([
        "user.strategy=llm",
        "user.endpoint.provider=gemini",
        "user.endpoint.model=some-model",
      ])),
  },
  {
    check: "services",
    state: "pass",
    name: "a server of this recipe",
    says: /generated, tool-calling agent, scripted customers/,
    world: async (held) => {
      const { url } = await episodeServer(held);
      return checkContext(slimeConfig([`bridge.services=["${url}"]`]));
    },
  },
  {
    check: "services",
    state: "fail",
    name: "a server with other data",
    says: /fingerprint of http.* is other, and /,
    mend: /start the server again/,
    world: async (held) => {
      const { url } = await episodeServer(held, { fingerprint: "other" });
      return checkContext(slimeConfig([`bridge.services=["${url}"]`]));
    },
  },
  {
    check: "services",
    state: "warn",
    name: "a server of another taulab",
    says: /version of http.* is 0\.0\.9/,
    mend: /this taulab/,
    world: async (held) => {
      const { url } = await episodeServer(held, { version: "0.0.9" });
      return checkContext(slimeConfig([`bridge.services=["${url}"]`]));
    },
  },
  {
    check: "services",
    state: "fail",
    name: "a server that wants a token",
    says: /\/info answered 401/,
    mend: /set TAULAB_TOKEN/,
    world: (held) => {
      const { url } = held.use(pathServer({
        "/health": { status: "ok" },
        "/info": new Response("Unauthorized", { status: 401 }),
      }));
      return checkContext(slimeConfig([`bridge.services=["${url}"]`]));
    },
  },
  {
    check: "services",
    state: "fail",
    name: "nobody there",
    says: /http:\/\/127\.0\.0\.1:1 does not answer/,
    mend: /deno task serve/,
    world: () =>
      checkContext(slimeConfig(['bridge.services=["http://127.0.0.1:1"]'])),
  },
  {
    check: "services",
    state: "fail",
    name: "a port that is held",
    says: /port \d+, for a server of episodes, is held here/,
    mend: /bridge.port/,
    world: (held) => {
      const { url } = held.use(pathServer({}));
      return checkContext(slimeConfig([
        `bridge.port=${new URL(url).port}`,
        "bridge.processes=1",
      ]));
    },
  },
  {
    check: "base-rate",
    state: "pass",
    name: "some and not all",
    says:
      /solves 10 of 40 episodes in .*base: at most 90% of groups of 8 differ/,
    world: (_, dir) => evaluated(dir, { solved: 10, scored: 40 }),
  },
  {
    check: "base-rate",
    state: "fail",
    name: "none",
    says: /solves 0 of 40 .*generate.keep_group samples until some do/,
    mend: /a model that solves some/,
    world: (_, dir) => evaluated(dir, { solved: 0, scored: 40 }),
  },
  {
    check: "base-rate",
    state: "fail",
    name: "all",
    says: /solves 40 of 40/,
    mend: /harder tasks/,
    world: (_, dir) => evaluated(dir, { solved: 40, scored: 40 }),
  },
  {
    check: "base-rate",
    state: "warn",
    name: "none, without a filter",
    says: /no group would have a say/,
    mend: /a model that solves some/,
    world: (_, dir) =>
      evaluated(dir, { solved: 0, scored: 40 }, ["rollout.filter=null"]),
  },
  {
    check: "base-rate",
    state: "warn",
    name: "none of too few",
    says: /0 of 5 .* too few to tell/,
    mend: /deno task evaluate .*--model Qwen3-0.6B/,
    world: (_, dir) => evaluated(dir, { solved: 0, scored: 5 }),
  },
  {
    check: "base-rate",
    state: "warn",
    name: "very few",
    says:
      /at most 8% of groups of 8 differ.* samples 415 groups or more for 32/,
    mend: /raise rollout.groupSize/,
    world: (_, dir) => evaluated(dir, { solved: 1, scored: 100 }),
  },
  {
    check: "base-rate",
    state: "warn",
    name: "nobody has measured",
    says: /nobody has measured what Qwen3-4B solves/,
    mend: /deno task evaluate --data generated --env retail --split train/,
    world: (_, dir) => checkContext(slimeConfig(), { runs: dir }),
  },
  {
    check: "engines",
    state: "pass",
    name: "all engines, which generate",
    says: /all 2 engines|generates/,
    world: (held) => withEngines(held, { engines: 2, running: 1 }).context,
  },
  {
    check: "engines",
    state: "skipped",
    name: "an idle engine, which training may have",
    says: /there and idle/,
    world: (held) => withEngines(held, { engines: 2, running: 0 }).context,
  },
  {
    check: "engines",
    state: "fail",
    name: "an engine that is missing",
    says: /the router has 1 engines and 2 are planned/,
    mend: /job's log/,
    world: (held) => withEngines(held, { engines: 1, running: 1 }).context,
  },
  {
    check: "engines",
    state: "fail",
    name: "no router",
    says: /the router at http.* does not answer/,
    mend: /engine.routerPort/,
    world: () => onHost({ "/proc/net/tcp": "" }, ["engine.routerPort=1"]),
  },
];

/** A router with engines that all are one server. */
function withEngines(
  held: AsyncDisposableStack,
  { engines, running, sets = [] }: {
    engines: number;
    running: number;
    sets?: string[];
  },
) {
  const engine = held.use(pathServer({
    "/v1/loads": {
      loads: [{ num_running_reqs: running, num_waiting_reqs: 0 }],
    },
    "/health_generate": {},
  }));
  const router = held.use(pathServer({
    "/workers": {
      workers: Array.from({ length: engines }, (_, i) => ({
        id: String(i),
        url: engine.url,
      })),
    },
  }));
  const port = new URL(router.url).port;
  const context = onHost({ "/proc/net/tcp": "" }, [
    `engine.routerPort=${port}`,
    ...sets,
  ]);
  return { context, engine };
}

for (const { check: id, state, name, says, mend, world } of CASES) {
  Deno.test(`the check ${id}: ${state} for ${name}`, () =>
    inTempDir(async (dir) => {
      await using held = new AsyncDisposableStack();
      const check = CHECKS.find((one) => one.id === id)!;
      const context = await world(held, dir);
      const found = await examine(check, context);
      const shown = JSON.stringify(found, null, 1);
      const meant = found.filter((one) =>
        one.state === state && says.test(one.found)
      );
      assert.ok(meant.length > 0, shown);
      for (const one of meant) {
        if ("mend" in one) assert.match(one.mend, mend ?? /^$/);
      }
      if (state === "pass") {
        assert.ok(found.every((one) => one.state !== "fail"), shown);
      }
    }));
}

Deno.test("every check has a case that passes and one that fails, and each fail says how to mend it", () => {
  const withPython = ["template", "hook"]; // pass in files of their own, by a real Python
  for (const { id } of CHECKS) {
    const states = CASES.filter(({ check }) => check === id);
    assert.ok(states.some(({ state }) => state === "fail"), id);
    assert.ok(
      states.some(({ state }) => state === "pass") || withPython.includes(id),
      id,
    );
  }
  for (const { state, mend, name } of CASES) {
    assert.equal(
      mend !== undefined,
      state === "warn" || state === "fail",
      name,
    );
  }
});

Deno.test("the check engines never asks an idle engine that is colocated to generate", async () => {
  await using held = new AsyncDisposableStack();
  const check = CHECKS.find(({ id }) => id === "engines")!;
  const idle = withEngines(held, { engines: 1, running: 0 });
  await check.run(idle.context);
  assert.ok(!idle.engine.asked.includes("/health_generate"));
  const apart = withEngines(held, {
    engines: 1,
    running: 0,
    sets: ["cluster.colocate=false", "cluster.rolloutGpus=1"],
  });
  await check.run(apart.context);
  assert.ok(apart.engine.asked.includes("/health_generate"));
});
