/**
 * What is known of the errors that end slime jobs, or hold them up: how Ray, PyTorch, NCCL, SGLang, Megatron and slime
 * print them, what causes them, and the fix.
 *
 * Patterns are anchored where a program prints its error: conversations and settings are logged too, and Ray quotes one
 * error within another.
 */

/** What is known of a line in a log. */
export interface Symptom {
  readonly id: string;
  /** Of a line without Ray's prefix and colours. */
  readonly pattern: RegExp;
  readonly cause: string;
  readonly fix: string;
}

/** Before an error of PyTorch's own launcher and of its watchdog. */
const RANK = String.raw`(?:\[rank\d+\]: ?)?`;

/** A line of Python's that names an error of one of these classes, in any module, and then says this. */
function error(classes: string, says: RegExp): RegExp {
  return new RegExp(
    String.raw`^${RANK}(?:\w+\.)*(?:${classes}): (?:${says.source})`,
  );
}

/** An error of any class that says this, wherever in its line. */
function anyError(says: RegExp): RegExp {
  return error(
    String.raw`\w*(?:Error|Exception)`,
    new RegExp(`.*(?:${says.source})`),
  );
}

/** A line that begins so. */
function line(says: RegExp): RegExp {
  return new RegExp(`^(?:${says.source})`);
}

function either(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => `(?:${source})`).join("|"));
}

/** A job that shows one of these for long does not go on. */
export const STANDSTILLS: readonly Symptom[] = [{
  id: "placement-group",
  pattern: /Waiting for placement group/,
  cause: "Ray has too few free GPUs, or another job holds them",
  fix:
    "see the jobs and GPUs on Ray's dashboard, stop the other job by its id, or ask for fewer GPUs in cluster.gpusPerNode",
}];

/** Errors of what was set up: nothing has been trained. */
const SET_UP: readonly Symptom[] = [
  {
    id: "hooks",
    pattern: error("ModuleNotFoundError", /No module named 'generate'/),
    cause: "the job's PYTHONPATH does not reach generate.py on this host",
    fix: "launch again: its files are written anew to every host",
  },
  {
    id: "packages",
    pattern: error(
      "ModuleNotFoundError",
      /No module named '(?:slime|megatron|sglang)\b/,
    ),
    cause: "the interpreter of the job does not have what slime needs",
    fix: "set paths.python, paths.slime and paths.megatron, or run setup",
  },
  {
    id: "numpy",
    pattern: error("AssertionError", /Megatron does not support numpy 2/),
    cause: "numpy is of version 2, and slime's Megatron needs version 1",
    fix: 'install "numpy<2" for paths.python on every host',
  },
  {
    id: "ray-versions",
    pattern: error("RuntimeError", /Version mismatch: The cluster was started/),
    cause: "Ray or Python of the job is of another version than the cluster's",
    fix: "start Ray with the interpreter of paths.python on every host",
  },
  {
    id: "runtime-env",
    pattern: error("RuntimeEnvSetupError", /Failed to set up runtime env/),
    cause: "Ray cannot set up the job's environment on a host",
    fix: "see the reason below the line, and runtime_env_setup-*.log of Ray",
  },
  {
    id: "budget",
    pattern: error("SetUpError", /.*refused \(402\)/),
    cause: "the budget of the recipe is spent",
    fix: "raise budget.maxCost or budget.maxTokens in a new run",
  },
  {
    id: "episode-servers",
    pattern: error("SetUpError", /./),
    cause: "the episode servers refuse what generate.py asks",
    fix: "see the reason in the line, and logs/serve-*.log",
  },
  {
    id: "wandb",
    pattern: line(
      /wandb(?:\.\w+)*\.(?:CommError|UsageError|AuthenticationError): /,
    ),
    cause: "Weights & Biases is out of reach of the hosts, or refuses the key",
    fix:
      "check WANDB_API_KEY and the hosts' network, or set tracking.mode to offline",
  },
  {
    id: "model-config",
    pattern: anyError(/hf_validate_args failed/),
    cause: "the checkpoint's config.json is not of the model that was named",
    fix: "set model.name to what model.directory holds",
  },
  {
    id: "model-files",
    pattern: either(
      error("OSError", /.*does not appear to have a file named /),
      error("SafetensorError", /Error while deserializing/),
      error("RuntimeError", /Cannot find any model weights with /),
      error("HFValidationError", /Repo id must /),
    ),
    cause: "the model's directory is not there on a host, or lacks a file",
    fix:
      "check model.directory on every host: deno task doctor --only model-files",
  },
  {
    id: "placement",
    pattern: anyError(/Invalid rollout server group GPU placement/),
    cause: "the GPUs of the engines do not make whole engines",
    fix: "make cluster.rolloutGpus a multiple of engine.gpus",
  },
  {
    id: "memory-saver",
    pattern: anyError(/Cannot find torch_memory_saver dynamic library/),
    cause: "this image cannot colocate training and engines",
    fix: "use slime's image, or set cluster.colocate to false",
  },
  {
    id: "checkpoint",
    pattern: anyError(/does not exist or is an empty directory/),
    cause: "neither the checkpoint nor the reference can be loaded",
    fix: "check checkpoint.directory and model.directory on every host",
  },
  {
    id: "reference",
    pattern: error("FileNotFoundError", /ref_load .*does not exist/),
    cause: "the reference's weights are not there",
    fix: "check model.reference, or set it to null",
  },
  {
    id: "rows",
    pattern: error(
      "FileNotFoundError",
      /Prompt dataset path .* does not exist/,
    ),
    cause: "the file of tasks is not on the head",
    fix: "launch again: its files are written anew to every host",
  },
  {
    id: "batch",
    pattern: anyError(/num_rollouts \(\d+\) < global_batch_size/),
    cause: "a rollout has fewer episodes than a step of the optimizer takes",
    fix: "lower rollout.globalBatchSize, or raise rollout.batchSize",
  },
];

/** A host or a GPU that cannot do what is asked. */
const RESOURCES: readonly Symptom[] = [
  {
    id: "host-memory",
    pattern: either(
      line(/ray\.exceptions\.OutOfMemoryError: /),
      line(/Task was killed due to the node running low on memory/),
      line(/[1-9]\d* worker\(s\) were killed due to the node running low/),
      line(
        /(?:\[[^\]]*\] \(raylet\) \S+ )?[1-9]\d* Workers \(tasks \/ actors\) killed due to memory pressure/,
      ),
      line(/MemoryError\b/),
      error("OSError", /\[Errno 12\] Cannot allocate memory/),
      anyError(/DefaultCPUAllocator: (?:can't|not enough)/),
    ),
    cause: "a host ran out of memory (its own, not a GPU's)",
    fix:
      "see which host in the line; stop what else runs there, lower rollout.batchSize, or take hosts with more memory, then resume",
  },
  {
    id: "shared-memory",
    pattern: either(
      line(/.*Error while creating shared memory segment \/dev\/shm\//),
      anyError(
        /unable to (?:open|write to|mmap|resize) .*(?:shm|shared memory|\/torch_)/,
      ),
      anyError(/out of shared memory|Bus error/),
    ),
    cause: "a container has too little shared memory (/dev/shm)",
    fix: "start it with --ipc=host, or a --shm-size of some GiB, then resume",
  },
  {
    id: "object-store",
    pattern: error("ObjectStoreFullError", /./),
    cause: "Ray's object store is full",
    fix:
      "lower rollout.batchSize, or start Ray with a larger --object-store-memory and set cluster.start to false",
  },
  {
    id: "disk",
    pattern: either(
      anyError(/No space left on device/),
      anyError(/Disk quota exceeded/),
      line(/ray\.exceptions\.OutOfDiskError: /),
    ),
    cause: "a disk is full",
    fix: "free space in checkpoint.directory and Ray's temp dir, then resume",
  },
  {
    id: "open-files",
    pattern: error("OSError", /\[Errno 24\] Too many open files/),
    cause: "a process may not open more files or connections",
    fix: "raise `ulimit -n` where Ray is started, or lower engine.concurrency",
  },
  {
    id: "engine-memory",
    pattern: error(
      "RuntimeError",
      /Not enough memory.*--mem-fraction-static/,
    ),
    cause: "an engine's share of its GPUs does not even hold the model",
    fix: "raise engine.memory, or engine.gpus",
  },
  {
    id: "gpu-memory",
    pattern: either(
      error(
        "OutOfMemoryError|RuntimeError|Exception",
        /(?:.*: )?CUDA out of memory/,
      ),
      error("RuntimeError|AcceleratorError", /CUDA error: out of memory/),
    ),
    cause: "a GPU ran out of memory",
    fix: "lower parallel.maxTokensPerGpu or engine.memory",
  },
  {
    id: "gpu-hardware",
    pattern: either(
      anyError(/CUDA error: uncorrectable ECC error/),
      anyError(/CUDA error: .*(?:fallen off the bus|GPU is lost)/),
      anyError(/Unable to determine the device handle for GPU/),
    ),
    cause: "a GPU is faulty",
    fix:
      "see Xid errors in dmesg of the host, leave that GPU or host out, then resume",
  },
  {
    id: "gpu-kernel",
    pattern: anyError(
      /CUDA error: (?:an illegal memory access|a misaligned address|misaligned address|unspecified launch failure|device-side assert|an illegal instruction)/,
    ),
    cause:
      "a GPU's kernel failed: a fault of code or of the GPU, not a lack of memory",
    fix:
      "resume; if it comes again, see Xid errors in dmesg, and run once with cluster.env={CUDA_LAUNCH_BLOCKING: 1} to find the kernel",
  },
  {
    id: "no-gpu",
    pattern: either(
      anyError(/No CUDA GPUs are available/),
      anyError(/Found no NVIDIA driver on your system/),
      anyError(/The NVIDIA driver on your system is too old/),
      anyError(/CUDA driver version is insufficient/),
      anyError(/no kernel image is available for execution/),
      anyError(/system not yet initialized/),
    ),
    cause: "PyTorch cannot use the GPUs of a host",
    fix:
      "compare the driver of nvidia-smi with the image's CUDA, and start the container with --gpus all",
  },
  {
    id: "port",
    pattern: either(
      anyError(/[Aa]ddress already in use/),
      line(/ERROR: +\[Errno 98\] /),
    ),
    cause: "a port is taken",
    fix: "see which in the line; engine.routerPort is the router's",
  },
];

/** Errors of a run that was under way. */
const UNDER_WAY: readonly Symptom[] = [
  {
    id: "gradients",
    pattern: either(
      anyError(/found (?:NaN|Inf) in local (?:grad norm|forward loss)/),
      line(/.* - step \d+: \{.*'train\/grad_norm': (?:nan|inf)\b/),
    ),
    cause: "gradients are not finite",
    fix:
      "resume from the last checkpoint with a lower optimizer.learningRate, and look at the last episodes",
  },
  {
    id: "flush",
    pattern: error("TimeoutError|Exception", /Timeout while flushing cache/),
    cause: "requests were still running when the engines were put to sleep",
    fix: "end other clients of the engines; if there are none, report it",
  },
  {
    id: "engine-hung",
    pattern: line(
      /.*\bwatchdog timeout \(self\.watchdog_timeout=|.*\bWatchdog timeout \(self\.watchdog_timeout=/,
    ),
    cause: "an engine stood still, and its watchdog ended it",
    fix:
      "resume; if it comes again, see the stack of the scheduler below the line",
  },
  {
    id: "crash",
    pattern: either(
      line(/Fatal Python error: (?:Segmentation fault|Aborted|Bus error)/),
      line(/.*\*\*\* SIG(?:SEGV|ABRT|BUS) received at time=/),
    ),
    cause: "a process crashed in native code",
    fix:
      "see its stack below the line; resume, and report it if it comes again",
  },
  {
    id: "engine-start",
    pattern: error("Exception", /Server process terminated unexpectedly/),
    cause:
      "SGLang died while it started: too little memory, or a model directory that it cannot read",
    fix: "lower engine.memory, and check model.directory on every host",
  },
  {
    id: "engine-gone",
    pattern: error(
      "ConnectionError|ConnectTimeout|MaxRetryError",
      /.*Max retries exceeded with url: /,
    ),
    cause:
      "an engine or the router does not answer: it ended, or its port is another's",
    fix:
      "look for what ended it above; free the ports from 15000 on, or lower engine.memory",
  },
  {
    id: "host-gone",
    pattern: either(
      line(/The node with node id: .* has been marked dead/),
      line(/\s*(?:The actor's|the actor's) node was terminated/),
      line(/The actor (?:is dead|died) because its node has died/),
      error("LocalRayletDiedError|NodeDiedError", /./),
    ),
    cause: "a host of the cluster died, or was cut off from the head",
    fix: "see that the host is up and reaches the head, then resume",
  },
  {
    id: "killed",
    pattern: either(
      line(
        /The actor is dead because its worker process has died\. Worker exit type: SYSTEM_ERROR/,
      ),
      line(
        /A worker died or was killed while executing a task by an unexpected system error/,
      ),
      error("WorkerCrashedError", /./),
      line(/Job entrypoint command failed with exit code (?:-9|137)\b/),
    ),
    cause:
      "a process of the job was killed from outside, often for want of the host's memory",
    fix:
      "see the kernel's OOM killer in dmesg of that host, and Ray's logs, then resume",
  },
  {
    id: "collective",
    pattern: either(
      line(/.*\[Rank \d+\] Watchdog caught collective operation timeout/),
      error("DistBackendError", /NCCL error in: /),
      error("DistStoreError|DistNetworkError", /./),
    ),
    cause:
      "processes of the job lost each other: a network, or one of them that hung or ended",
    fix:
      "look for the first error of another process; between hosts, set NCCL_SOCKET_IFNAME in cluster.env, then resume",
  },
];

/** Symptoms of jobs that fail, the most telling first: what follows from others comes last. */
export const SYMPTOMS: readonly Symptom[] = [
  ...SET_UP,
  ...RESOURCES,
  ...UNDER_WAY,
];
