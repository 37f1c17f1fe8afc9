/**
 * Provides the last lines of job logs, keyed by symptom, as Ray 2.49, PyTorch 2.9, NCCL, SGLang 0.5, Megatron, and
 * slime (commit 624b824) print them. Names, numbers and paths are invented.
 */

/** Returns the log of an error in a method of an actor, with the lines that Ray prints around the error. */
function taskError(
  method: string,
  { type, text, file = "/root/slime/slime/ray/train_actor.py" }: {
    type: string;
    text: string;
    file?: string;
  },
): string {
  const [actor] = method.split(".");
  return `Traceback (most recent call last):
  File "/root/slime/train.py", line 106, in <module>
    train(args)
  File "/usr/local/lib/python3.12/dist-packages/ray/_private/worker.py", line 961, in get_objects
    raise value.as_instanceof_cause()
ray.exceptions.RayTaskError(${
    type.split(".").at(-1)
  }): ray::${method}() (pid=4121, ip=10.0.0.11, actor_id=5d0c2e4f8a, repr=<slime.ray.${actor} object at 0x7f2c>)
  File "${file}", line 84, in step
    return self.inner(*args, **kwargs)
${type}: ${text}`;
}

/** Returns the lines that Ray prints if an actor's constructor raises an error. */
function creationError(actor: string, error: string): string {
  return `\x1b[36m(${actor} pid=4121, ip=10.0.0.12)\x1b[0m Exception raised in creation task: The actor died because of an error raised in its creation task, \x1b[36mray::${actor}.__init__()\x1b[39m (pid=4121, ip=10.0.0.12, actor_id=5d0c2e4f8a, repr=<slime.ray.${actor} object at 0x7f2c>)
\x1b[36m(${actor} pid=4121, ip=10.0.0.12)\x1b[0m   File "/root/slime/slime/ray/${actor}.py", line 61, in __init__
\x1b[36m(${actor} pid=4121, ip=10.0.0.12)\x1b[0m ${error}
Traceback (most recent call last):
  File "/root/slime/train.py", line 106, in <module>
    train(args)
ray.exceptions.ActorDiedError: The actor died because of an error raised in its creation task, ray::${actor}.__init__() (pid=4121, ip=10.0.0.12, actor_id=5d0c2e4f8a, repr=<slime.ray.${actor} object at 0x7f2c>)
  File "/root/slime/slime/ray/${actor}.py", line 61, in __init__
    self.set_up(args)
${error}`;
}

/** Returns the lines that Ray prints if an actor's process has died. */
function actorDied(reason: string): string {
  return `Traceback (most recent call last):
  File "/root/slime/train.py", line 106, in <module>
    train(args)
ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.
	class_name: MegatronTrainRayActor
	actor_id: 2f6f4c0d3f2b8a1c7d6e5f4402000000
	pid: 4121
	namespace: 0d3c
	ip: 10.0.0.12
${reason}`;
}

const CONNECTION_ERROR =
  "Worker exit type: SYSTEM_ERROR Worker exit detail: Worker unexpectedly exits with a connection error code 2. End of file. There are some potential root causes. (1) The process is killed by SIGKILL by OOM killer due to high memory usage. (2) ray stop --force is called. (3) The worker is crashed unexpectedly due to SIGSEGV or other unexpected errors.";

const GPU_OOM =
  "CUDA out of memory. Tried to allocate 4.64 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.12 GiB is free. Process 71 has 77.98 GiB memory in use. Of the allocated memory 70.10 GiB is allocated by PyTorch, and 1.86 GiB is reserved by PyTorch but unallocated.";

/** Logs, keyed by the id of their symptom. Every symptom has at least one. */
export const LOGS: Readonly<Record<string, readonly string[]>> = {
  hooks: [
    taskError("RolloutManager.generate", {
      type: "ModuleNotFoundError",
      text: "No module named 'generate'",
    }),
    creationError(
      "RolloutManager",
      "ModuleNotFoundError: No module named 'generate'",
    ),
  ],
  packages: [
    `Traceback (most recent call last):
  File "/root/slime/train.py", line 3, in <module>
    from slime.ray.placement_group import create_placement_groups
ModuleNotFoundError: No module named 'slime'`,
    creationError(
      "MegatronTrainRayActor",
      "ModuleNotFoundError: No module named 'megatron.training'",
    ),
  ],
  numpy: [
    taskError("MegatronTrainRayActor.init", {
      type: "AssertionError",
      text: "Megatron does not support numpy 2.x",
    }),
  ],
  "ray-versions": [
    `RuntimeError: Version mismatch: The cluster was started with:
    Ray: 2.49.2
    Python: 3.12.3
This process on node 10.0.0.12 was started with:
    Ray: 2.44.0
    Python: 3.10.12`,
  ],
  "runtime-env": [
    `ray.exceptions.RuntimeEnvSetupError: Failed to set up runtime environment.
Failed to create runtime env for job 03000000, status = IOError`,
  ],
  budget: [
    taskError("RolloutManager.generate", {
      type: "generate.SetUpError",
      text: "http://10.0.0.5:8400 refused (402): The budget of 500 is spent",
      file: "/root/taulab-runs/a1/generate.py",
    }),
  ],
  outage: [
    taskError("RolloutManager.generate", {
      type: "generate.SetUpError",
      text:
        "all episodes failed for 1800 s, 412 in total; the last error: http://10.0.0.5:8400 answered 500: no table",
      file: "/root/taulab-runs/a1/generate.py",
    }),
  ],
  "episode-servers": [
    taskError("RolloutManager.generate", {
      type: "generate.SetUpError",
      text: "http://10.0.0.5:8400 refused (409): The row is of airline",
      file: "/root/taulab-runs/a1/generate.py",
    }),
  ],
  wandb: [
    `Traceback (most recent call last):
  File "/root/slime/slime/observability/wandb_utils.py", line 74, in init_wandb_primary
    wandb.init(**init_kwargs)
wandb.errors.errors.CommError: Run initialization has timed out after 90.0 sec. Please try increasing the timeout with the \`init_timeout\` setting`,
    `wandb.errors.errors.UsageError: No API key configured. Use \`wandb login\` to log in.`,
  ],
  "model-config": [
    taskError("MegatronTrainRayActor.init", {
      type: "AssertionError",
      text:
        "hf_validate_args failed: rope_theta in hf config 5000000 is not equal to rotary_base 1000000",
    }),
  ],
  "model-files": [
    `(SGLangEngine pid=881) OSError: /root/Qwen3-4B does not appear to have a file named config.json. Checkout 'https://huggingface.co//root/Qwen3-4B/tree/main' for available files.
Exception: Server process terminated unexpectedly.`,
    `(SGLangEngine pid=881) [2026-08-21 12:00:00 TP0] Scheduler hit an exception: Traceback (most recent call last):
(SGLangEngine pid=881) RuntimeError: Cannot find any model weights with \`/root/Qwen3-4B\``,
    `(SGLangEngine pid=881) safetensors_rust.SafetensorError: Error while deserializing header: incomplete metadata, file not fully covered`,
    `huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or 'namespace/repo_name': '/root/Qwen3-4B'. Use \`repo_type\` argument if needed.`,
  ],
  placement: [
    `AssertionError: Invalid rollout server group GPU placement: 3 GPUs do not divide into engines of 2`,
  ],
  "memory-saver": [
    `AssertionError: Cannot find torch_memory_saver dynamic library. Please make sure torch_memory_saver is properly installed.`,
  ],
  checkpoint: [
    taskError("MegatronTrainRayActor.init", {
      type: "AssertionError",
      text:
        "args.load='/root/taulab-checkpoints/a1' does not exist or is an empty directory. Did you specify the wrong folder?",
    }),
  ],
  reference: [
    `FileNotFoundError: ref_load /root/Qwen3-4B_torch_dist does not exist, please check the path.`,
  ],
  rows: [
    creationError(
      "RolloutManager",
      "FileNotFoundError: Prompt dataset path '/root/taulab-runs/a1/retail_train_tasks.jsonl' does not exist.",
    ),
  ],
  batch: [
    taskError("RolloutManager.generate", {
      type: "AssertionError",
      text: "num_rollouts (64) < global_batch_size (256); nothing to train",
    }),
  ],
  "host-memory": [
    `Traceback (most recent call last):
  File "/root/slime/train.py", line 106, in <module>
ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory.
Memory on the node (IP: 10.0.0.12, ID: 6416deba2a60) where the task (actor ID: 5d0c2e4f, name=RolloutManager.__init__, pid=606, memory used=203.33GB) was running was 487.33GB / 503.50GB (0.967885), which exceeds the memory usage threshold of 0.95. Ray killed this worker (ID: ad3de5a3) because it was the most recently scheduled task; to see more information about memory usage on this node, use \`ray logs raylet.out -ip 10.0.0.12\`.`,
    `\x1b[33m(raylet, ip=10.0.0.12)\x1b[0m [2026-08-21 12:00:00,000 E 98 98] (raylet) node_manager.cc:3193: 2 Workers (tasks / actors) killed due to memory pressure (OOM), 0 Workers crashed due to other reasons at node (ID: 64ab, IP: 10.0.0.12) over the last time period. To see more information about the Workers killed on this node, use \`ray logs raylet.out -ip 10.0.0.12\`
${
      actorDied(
        `The actor is dead because its worker process has died. ${CONNECTION_ERROR}`,
      )
    }`,
    taskError("MegatronTrainRayActor.sleep", {
      type: "RuntimeError",
      text:
        "[enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 8589934592 bytes. Error code 12 (Cannot allocate memory)",
    }),
    `OSError: [Errno 12] Cannot allocate memory`,
  ],
  "shared-memory": [
    `(MegatronTrainRayActor pid=4121) gpu1:4121:4500 [0] misc/shmutils.cc:87 NCCL WARN Error while creating shared memory segment /dev/shm/nccl-7YQe5w (size 9637888), error: No space left on device (28)
torch.distributed.DistBackendError: NCCL error in: /pytorch/torch/csrc/distributed/c10d/NCCLUtils.cpp:94, unhandled system error (run with NCCL_DEBUG=INFO for details), NCCL version 2.27.5
ncclSystemError: System call (e.g. socket, malloc) or external library call failed or device error.`,
    `RuntimeError: unable to write to file </torch_4121_2837461_0>: No space left on device (28)`,
  ],
  "object-store": [
    `ray.exceptions.ObjectStoreFullError: Failed to put object 00ffff in object store because it is full. Object size is 2147483648 bytes.
The local object store is full of objects that are still in scope and cannot be evicted. Tip: Use the \`ray memory\` command to list active objects in the cluster.`,
  ],
  disk: [
    taskError("MegatronTrainRayActor.save_model", {
      type: "OSError",
      text:
        "[Errno 28] No space left on device: '/root/taulab-checkpoints/a1/iter_0000019/__0_0.distcp'",
    }),
    `ray.exceptions.OutOfDiskError: Local disk is full
The object cannot be created because the local object store is full and the local disk's utilization is over capacity (95% by default).Tip: Use \`df\` on this node to check disk usage and \`ray memory\` to check object store memory usage.`,
  ],
  "open-files": [
    `OSError: [Errno 24] Too many open files`,
  ],
  "engine-memory": [
    `(SGLangEngine pid=881) [2026-08-21 12:00:00 TP0] Scheduler hit an exception: Traceback (most recent call last):
(SGLangEngine pid=881)   File "/sgl-workspace/sglang/python/sglang/srt/model_executor/model_runner.py", line 1741, in init_memory_pool
(SGLangEngine pid=881) RuntimeError: Not enough memory. Please try to increase --mem-fraction-static. Current value: self.server_args.mem_fraction_static=0.4
Exception: Server process terminated unexpectedly.`,
  ],
  "gpu-memory": [
    taskError("MegatronTrainRayActor.train", {
      type: "torch.OutOfMemoryError",
      text: GPU_OOM,
    }),
    `[rank0]: torch.cuda.OutOfMemoryError: ${GPU_OOM}`,
    `RuntimeError: CUDA error: out of memory
CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.`,
    `(SGLangEngine pid=881) Exception: Capture cuda graph failed: CUDA out of memory. Tried to allocate 96.00 MiB.
(SGLangEngine pid=881) Possible solutions:
(SGLangEngine pid=881) 1. set --mem-fraction-static to a smaller value (e.g., 0.8 or 0.7)
Exception: Server process terminated unexpectedly.`,
  ],
  "gpu-hardware": [
    taskError("MegatronTrainRayActor.train", {
      type: "torch.AcceleratorError",
      text: "CUDA error: uncorrectable ECC error encountered",
    }),
  ],
  "gpu-kernel": [
    taskError("MegatronTrainRayActor.train", {
      type: "torch.AcceleratorError",
      text: "CUDA error: an illegal memory access was encountered",
    }),
    `(SGLangEngine pid=881) RuntimeError: CUDA error: device-side assert triggered`,
  ],
  "no-gpu": [
    creationError(
      "MegatronTrainRayActor",
      "RuntimeError: No CUDA GPUs are available",
    ),
    `RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver from http://www.nvidia.com/Download/index.aspx`,
    `RuntimeError: Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions before calling NumCudaDevices() that might have already set an error? Error 802: system not yet initialized`,
  ],
  port: [
    `torch.distributed.DistNetworkError: The server socket has failed to listen on any local network address. port: 29500, useIpv6: false, code: -98, name: EADDRINUSE, message: address already in use`,
    `(SGLangEngine pid=881) ERROR:    [Errno 98] error while attempting to bind on address ('10.0.0.11', 15000): address already in use`,
    `OSError: [Errno 98] Address already in use`,
  ],
  gradients: [
    taskError("MegatronTrainRayActor.train", {
      type: "AssertionError",
      text:
        "found NaN in local grad norm for bucket #0 in backward pass before data-parallel communication collective. Device: 3, node: gpu1",
    }),
    `(MegatronTrainRayActor pid=4121) [2026-08-21 12:00:00] model.py:893 - step 41: {'train/loss': 0.1, 'train/grad_norm': nan, 'train/step': 41}
ValueError: the samples cannot be split`,
  ],
  flush: [
    taskError("SGLangEngine.flush_cache", {
      type: "TimeoutError",
      text: "Timeout while flushing cache.",
    }),
  ],
  "engine-hung": [
    `(SGLangEngine pid=881) [2026-08-21 12:10:00 TP0] Watchdog timeout (self.watchdog_timeout=300)
requests.exceptions.ConnectionError: HTTPConnectionPool(host='10.0.0.11', port=15000): Max retries exceeded with url: /flush_cache (Caused by NewConnectionError('Connection refused'))`,
    `(SGLangEngine pid=881) [2026-08-21 12:10:00 TP0] Scheduler watchdog timeout (self.watchdog_timeout=300, self.soft=False)`,
  ],
  crash: [
    `(SGLangEngine pid=881) Fatal Python error: Segmentation fault
(SGLangEngine pid=881)
(SGLangEngine pid=881) Thread 0x00007f2c (most recent call first):
Exception: Server process terminated unexpectedly.`,
    `(MegatronTrainRayActor pid=4121) *** SIGSEGV received at time=1787313600 on cpu 12 ***
${
      actorDied(
        `The actor is dead because its worker process has died. ${CONNECTION_ERROR}`,
      )
    }`,
  ],
  "engine-start": [
    taskError("SGLangEngine.init", {
      type: "Exception",
      text: "Server process terminated unexpectedly.",
    }),
  ],
  "engine-gone": [
    taskError("SGLangEngine.release_memory_occupation", {
      type: "requests.exceptions.ConnectionError",
      text:
        "HTTPConnectionPool(host='10.0.0.11', port=15000): Max retries exceeded with url: /release_memory_occupation (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f>: Failed to establish a new connection: [Errno 111] Connection refused'))",
    }),
  ],
  "host-gone": [
    `\x1b[33m(raylet)\x1b[0m The node with node id: 64ab and address: 10.0.0.12 and node name: 10.0.0.12 has been marked dead because the detector has missed too many heartbeats from it. This can happen when a 	(1) raylet crashes unexpectedly (OOM, etc.)
	(2) raylet has lagging heartbeats due to slow network or busy workload.
${
      actorDied(
        "The actor died because its node has died. Node Id: 64ab\n\tthe actor's node was terminated unexpectedly: health check failed due to missing too many heartbeats",
      )
    }`,
    `ray.exceptions.LocalRayletDiedError: The task's local raylet died. Check raylet.out for more information.`,
  ],
  killed: [
    actorDied(
      `The actor is dead because its worker process has died. ${CONNECTION_ERROR}`,
    ),
    `\x1b[33m(raylet)\x1b[0m A worker died or was killed while executing a task by an unexpected system error. To troubleshoot the problem, check the logs for the dead worker. Lease ID: 0a Worker ID: 5d Node ID: 64ab Worker IP address: 10.0.0.11 Worker port: 10004 Worker PID: 606 ${CONNECTION_ERROR}
ray.exceptions.WorkerCrashedError: The worker died unexpectedly while executing this task. Check python-core-worker-*.log files for more information.
torch.distributed.DistBackendError: NCCL error in: /pytorch/torch/csrc/distributed/c10d/NCCLUtils.cpp:94, remote process exited or there was a network error, NCCL version 2.27.5`,
  ],
  collective: [
    `(MegatronTrainRayActor pid=4121, ip=10.0.0.12) [rank3]:[E821 12:00:00.000000000 ProcessGroupNCCL.cpp:685] [Rank 3] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=41, OpType=ALLREDUCE, NumelIn=1, NumelOut=1, Timeout(ms)=600000) ran for 600023 milliseconds before timing out.`,
    taskError("MegatronTrainRayActor.init", {
      type: "torch.distributed.DistStoreError",
      text:
        "Timed out after 601 seconds waiting for clients. 1/2 clients joined.",
    }),
    `torch.distributed.DistBackendError: NCCL error in: /pytorch/torch/csrc/distributed/c10d/NCCLUtils.cpp:94, unhandled cuda error (run with NCCL_DEBUG=INFO for details), NCCL version 2.27.5
ncclUnhandledCudaError: Call to CUDA function failed.`,
  ],
};

/** Logs that have no known symptom but contain words of known symptoms, keyed by a description. */
export const UNKNOWN_LOGS: Readonly<Record<string, string>> = {
  "an error of an actor's constructor": creationError(
    "RolloutManager",
    "ValueError: Unknown tokenizer class",
  ) +
    "\nWorker exit type: USER_ERROR Worker exit detail: Worker exits because there was an exception in the initialization method (e.g., __init__). Fix the exceptions from the initialization to resolve the issue.",
  "an actor that slime itself ended": actorDied(
    "The actor is dead because it was killed by `ray.kill`.",
  ),
  "an actor whose driver has gone": actorDied(
    "The actor is dead because its owner has died. Owner Id: 5d Owner Ip address: 10.0.0.11 Owner worker exit type: INTENDED_USER_EXIT Worker exit detail: Owner's worker process has crashed.",
  ),
  "a conversation that names errors":
    `(RolloutManager pid=7) [2026-08-21 12:00:00] sglang_rollout.py:455 - First rollout sample: ["OSError: [Errno 28] No space left on device", "CUDA out of memory. Tried to allocate 2 GiB", "ray.exceptions.OutOfMemoryError: x"], label: None, reward: 0.0
KeyError: 'rewards'`,
  "settings that are printed":
    `(MegatronTrainRayActor pid=4121)   check_for_nan_in_loss_and_grad .................. True
(MegatronTrainRayActor pid=4121)   grad_reduce_in_bf16 ............................. False
[2026-08-21 12:00:00] engine.py:99 - server_args: mem_fraction_static=0.7, watchdog_timeout=300
ValueError: something else`,
  "a metric that is nan beside gradients that are not":
    `[2026-08-21 12:00:00] model.py:893 - step 3: {'train/kl_loss': nan, 'train/grad_norm': 1.5, 'train/step': 3}
ValueError: something else`,
  "an engine that makes room in its cache":
    `(SGLangEngine pid=881) [2026-08-21 12:00:00 TP0] KV cache pool is full. Retract requests. #retracted_reqs: 3, #new_tokens_gained: 412
ValueError: something else`,
  "workers that Ray lost for another reason than memory":
    `(raylet) [2026-08-21 12:00:00,000 E 98 98] (raylet) node_manager.cc:3193: 0 Workers (tasks / actors) killed due to memory pressure (OOM), 1 Workers crashed due to other reasons at node (ID: 64ab, IP: 10.0.0.11) over the last time period.
ValueError: something else`,
};
