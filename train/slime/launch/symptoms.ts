/**
 * Lists the known errors that end or stall slime jobs, as Ray, PyTorch, NCCL, SGLang, Megatron and slime print them,
 * with their causes and fixes. The patterns only match where a program starts to print an error, because conversations
 * and settings are logged too, and Ray quotes one error within another.
 */

/** A known error, with its cause and its fix. */
export interface Symptom {
  readonly id: string;
  /** The pattern that a log line must match, without Ray's prefix and colors. */
  readonly pattern: RegExp;
  readonly cause: string;
  readonly fix: string;
}

/** Matches the optional prefix of errors that PyTorch prints, such as `[rank0]: `. */
const RANK = String.raw`(?:\[rank\d+\]: ?)?`;

/** Returns a pattern for a Python error of one of these classes, from any module, with this message. */
function error(classes: string, says: RegExp): RegExp {
  return new RegExp(
    String.raw`^${RANK}(?:\w+\.)*(?:${classes}): (?:${says.source})`,
  );
}

/** Returns a pattern for an error of any class with this message, anywhere in its line. */
function anyError(says: RegExp): RegExp {
  return error(
    String.raw`\w*(?:Error|Exception)`,
    new RegExp(`.*(?:${says.source})`),
  );
}

/** Returns a pattern for a line that begins with this text. */
function line(says: RegExp): RegExp {
  return new RegExp(`^(?:${says.source})`);
}

function either(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => `(?:${source})`).join("|"));
}

/** Log lines that are harmless once. If one is repeated for a long time, the job is stalled. */
export const STALLS: readonly Symptom[] = [{
  id: "placement-group",
  pattern: /Waiting for placement group/,
  cause: "Ray has too few free GPUs, or another job holds them",
  fix:
    "check the jobs and GPUs on Ray's dashboard, stop the other job by its id, or lower cluster.gpusPerNode",
}];

/** Errors in the setup of hosts, files and servers, most of which occur before any training. */
const SETUP_ERRORS: readonly Symptom[] = [
  {
    id: "hooks",
    pattern: error("ModuleNotFoundError", /No module named 'generate'/),
    cause: "the job's PYTHONPATH does not contain generate.py on this host",
    fix: "launch again, which writes the files to every host",
  },
  {
    id: "packages",
    pattern: error(
      "ModuleNotFoundError",
      /No module named '(?:slime|megatron|sglang)\b/,
    ),
    cause: "the job's Python lacks a package that slime needs",
    fix:
      'set paths.python, paths.slime and paths.megatron, or run "deno task setup"',
  },
  {
    id: "numpy",
    pattern: error("AssertionError", /Megatron does not support numpy 2/),
    cause: "numpy 2 is installed, but slime's Megatron needs numpy 1",
    fix: 'install "numpy<2" for paths.python on every host',
  },
  {
    id: "ray-versions",
    pattern: error("RuntimeError", /Version mismatch: The cluster was started/),
    cause: "the job's version of Ray or Python differs from the cluster's",
    fix: "start Ray with the interpreter of paths.python on every host",
  },
  {
    id: "runtime-env",
    pattern: error("RuntimeEnvSetupError", /Failed to set up runtime env/),
    cause: "Ray cannot set up the job's environment on a host",
    fix:
      "see the reason below that line in the log, and Ray's runtime_env_setup-*.log",
  },
  {
    id: "budget",
    pattern: error("SetUpError", /.*refused \(402\)/),
    cause: "the recipe's budget is used up",
    fix: "raise budget.maxCost or budget.maxTokens in a new run",
  },
  {
    id: "outage",
    pattern: error("SetUpError", /all episodes failed for/),
    cause:
      "no episode succeeded for a long time, for example because the user's model does not respond",
    fix:
      "see the last error in that line, and logs/serve-*.log, then resume the run",
  },
  {
    id: "episode-servers",
    pattern: error("SetUpError", /./),
    cause: "the episode servers reject the requests of generate.py",
    fix: "see the reason in that line, and logs/serve-*.log",
  },
  {
    id: "wandb",
    pattern: line(
      /wandb(?:\.\w+)*\.(?:CommError|UsageError|AuthenticationError): /,
    ),
    cause: "the hosts cannot reach Weights & Biases, or it rejects the key",
    fix:
      "check WANDB_API_KEY and the hosts' network, or set tracking.mode to offline",
  },
  {
    id: "model-config",
    pattern: anyError(/hf_validate_args failed/),
    cause:
      "the checkpoint's config.json belongs to another model than model.name",
    fix: "set model.name to the model in model.directory",
  },
  {
    id: "model-files",
    pattern: either(
      error("OSError", /.*does not appear to have a file named /),
      error("SafetensorError", /Error while deserializing/),
      error("RuntimeError", /Cannot find any model weights with /),
      error("HFValidationError", /Repo id must /),
    ),
    cause: "the model's directory is missing on a host, or lacks a file",
    fix:
      "check model.directory on every host with: deno task doctor --only model-files",
  },
  {
    id: "placement",
    pattern: anyError(/Invalid rollout server group GPU placement/),
    cause:
      "the number of GPUs for engines is not a multiple of the GPUs per engine",
    fix: "set cluster.rolloutGpus to a multiple of engine.gpus",
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
    cause: "neither the checkpoint nor the reference model can be loaded",
    fix: "check checkpoint.directory and model.directory on every host",
  },
  {
    id: "reference",
    pattern: error("FileNotFoundError", /ref_load .*does not exist/),
    cause: "the weights of the reference model are missing",
    fix: "check model.reference, or set it to null",
  },
  {
    id: "rows",
    pattern: error(
      "FileNotFoundError",
      /Prompt dataset path .* does not exist/,
    ),
    cause: "the file of tasks is missing on the head",
    fix: "launch again, which writes the files to every host",
  },
  {
    id: "batch",
    pattern: anyError(/num_rollouts \(\d+\) < global_batch_size/),
    cause: "a rollout has fewer episodes than one optimizer step needs",
    fix: "lower rollout.globalBatchSize, or raise rollout.batchSize",
  },
];

/** Errors about the resources of a host or a GPU. */
const RESOURCE_ERRORS: readonly Symptom[] = [
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
    cause: "a host ran out of RAM (not of GPU memory)",
    fix:
      "stop other programs on the host that the line names, or lower rollout.batchSize, then resume",
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
    fix:
      "start the container with --ipc=host, or with --shm-size=32g, then resume",
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
    cause: "a process has reached its limit of open files and connections",
    fix:
      "raise `ulimit -n` in the shell that starts Ray, or lower engine.concurrency",
  },
  {
    id: "engine-memory",
    pattern: error(
      "RuntimeError",
      /Not enough memory.*--mem-fraction-static/,
    ),
    cause: "the model does not fit in an engine's share of GPU memory",
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
      "check the host's dmesg for Xid errors, and remove that GPU or host, then resume",
  },
  {
    id: "gpu-kernel",
    pattern: anyError(
      /CUDA error: (?:an illegal memory access|a misaligned address|misaligned address|unspecified launch failure|device-side assert|an illegal instruction)/,
    ),
    cause:
      "a GPU kernel failed because of a bug or a hardware fault, not for lack of memory",
    fix:
      'resume; if the error recurs, check dmesg for Xid errors, and run once with CUDA_LAUNCH_BLOCKING set to "1" in cluster.env to find the kernel',
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
      "compare the driver version in nvidia-smi with the image's CUDA version, and start the container with --gpus all",
  },
  {
    id: "port",
    pattern: either(
      anyError(/[Aa]ddress already in use/),
      line(/ERROR: +\[Errno 98\] /),
    ),
    cause: "a port is already in use",
    fix:
      "free the port that the line names, or set engine.routerPort if it is the router's",
  },
];

/** Errors during training. */
const TRAINING_ERRORS: readonly Symptom[] = [
  {
    id: "gradients",
    pattern: either(
      anyError(/found (?:NaN|Inf) in local (?:grad norm|forward loss)/),
      line(/.* - step \d+: \{.*'train\/grad_norm': (?:nan|inf)\b/),
    ),
    cause: "gradients are not finite",
    fix:
      "resume from the last checkpoint with a lower optimizer.learningRate, and inspect the last episodes",
  },
  {
    id: "flush",
    pattern: error("TimeoutError|Exception", /Timeout while flushing cache/),
    cause: "requests were still running when the engines were paused",
    fix:
      "stop other clients of the engines; if there are none, report the error",
  },
  {
    id: "engine-hung",
    pattern: line(
      /.*\bwatchdog timeout \(self\.watchdog_timeout=|.*\bWatchdog timeout \(self\.watchdog_timeout=/,
    ),
    cause: "an engine hung, and its watchdog killed it",
    fix:
      "resume; if the error recurs, see the scheduler's stack below that line in the log",
  },
  {
    id: "crash",
    pattern: either(
      line(/Fatal Python error: (?:Segmentation fault|Aborted|Bus error)/),
      line(/.*\*\*\* SIG(?:SEGV|ABRT|BUS) received at time=/),
    ),
    cause: "a process crashed in native code",
    fix:
      "see the stack below that line in the log, and resume; report the crash if it recurs",
  },
  {
    id: "engine-start",
    pattern: error("Exception", /Server process terminated unexpectedly/),
    cause:
      "SGLang failed to start: too little memory, or an unreadable model directory",
    fix: "lower engine.memory, and check model.directory on every host",
  },
  {
    id: "engine-gone",
    pattern: error(
      "ConnectionError|ConnectTimeout|MaxRetryError",
      /.*Max retries exceeded with url: /,
    ),
    cause:
      "an engine or the router does not respond: it has exited, or another program uses its port",
    fix:
      "look for an earlier error in the log, and free the ports from 15000 on or lower engine.memory",
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
    fix: "check that the host is up and can reach the head, then resume",
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
      "a process of the job was killed from outside, often because the host ran out of RAM",
    fix:
      "check the host's dmesg for the OOM killer, and Ray's logs, then resume",
  },
  {
    id: "collective",
    pattern: either(
      line(/.*\[Rank \d+\] Watchdog caught collective operation timeout/),
      error("DistBackendError", /NCCL error in: /),
      error("DistStoreError|DistNetworkError", /./),
    ),
    cause:
      "processes of the job lost contact: a network failure, or one of them hung or exited",
    fix:
      "look for the first error of another process; between hosts, set NCCL_SOCKET_IFNAME in cluster.env, then resume",
  },
];

/**
 * The symptoms of failed jobs, the most specific first. Errors that are only consequences of other errors come last.
 */
export const SYMPTOMS: readonly Symptom[] = [
  ...SETUP_ERRORS,
  ...RESOURCE_ERRORS,
  ...TRAINING_ERRORS,
];
