/**
 * Lists the flags of slime's train.py. slime silently ignores unknown flags, so a misspelled flag would have no effect.
 * The names were printed by the parsers of the following versions:
 *
 * - slime `slime/utils/arguments.py` and `slime/backends/sglang_utils/arguments.py` at 624b824;
 * - Megatron-LM `megatron/training/arguments.py` at 1dcf0da, which slime's Dockerfile pins, with slime's patch;
 * - SGLang `ServerArgs` of 0.5.15.post1 with slime's patches, without the arguments that slime sets itself;
 * - `RouterArgs` of sglang-router 0.3.2.
 */

/** The number of values that a flag takes: none, one, or a list. */
export type FlagArity = "bare" | "value" | "values";

/** The program that defines a flag. */
export type FlagSource = "slime" | "megatron" | "sglang" | "router";

/** A flag of train.py, with the program that defines it. */
export interface KnownFlag {
  readonly source: FlagSource;
  readonly arity: FlagArity;
}

/** The names of all flags, separated by spaces, without the `prefix` that all flags of a source have. */
const NAMES: Readonly<
  Record<
    FlagSource,
    { readonly prefix: string } & Readonly<Record<FlagArity, string>>
  >
> = {
  slime: {
    prefix: "--",
    bare: `
allgather-cp apply-chat-template balance-by-flops balance-data check-weight-update-equal
ci-disable-kl-checker ci-test colocate debug-rollout-only debug-train-only
disable-compute-advantages-and-returns disable-grpo-std-normalization disable-rewards-normalization
disable-rollout-global-dataset disable-wandb-random-suffix enable-mtp-training freeze-indexer
get-mismatch-metrics group-rm keep-old-actor log-correct-samples log-multi-turn log-passrate
mask-offpolicy-in-partial-rollout no-offload-rollout no-offload-train normalize-advantages offload
offload-rollout offload-train partial-rollout recompute-loss-function release-train reset-optimizer-states
rollout-shuffle rollout-skip-special-tokens skip-eval-before-train update-weight-disk-keep-files
use-distributed-post use-dynamic-batch-size use-fault-tolerance use-kl-loss use-opd use-opsm
use-rollout-entropy use-rollout-logprobs use-rollout-routing-replay use-routing-replay use-stateless-adam
use-tensorboard use-tis use-unbiased-kl use-wandb wandb-always-use-train-step
`,
    value: `
actor-num-gpus-per-node actor-num-nodes advantage-estimator apply-chat-template-kwargs buffer-filter-path
ci-load-grad-norm ci-save-grad-norm ci-train-rollout-logprob-abs-diff-threshold
custom-advantage-function-path custom-config-path custom-convert-samples-to-train-data-path
custom-eval-rollout-log-function-path custom-generate-function-path custom-loss-function-path
custom-megatron-before-log-prob-hook-path custom-megatron-before-train-step-hook-path
custom-megatron-init-path custom-model-provider-path custom-pg-loss-reducer-function-path
custom-reward-post-process-path custom-rm-path custom-rollout-log-function-path custom-tis-function-path
custom-update-weight-post-write-path data-pad-size-multiplier data-source-path dump-details
dynamic-sampling-filter-path entropy-coef eps-clip eps-clip-c eps-clip-high eval-config eval-function-path
eval-input-key eval-label-key eval-max-context-len eval-max-prompt-len eval-max-response-len
eval-min-new-tokens eval-reward-key eval-temperature eval-tool-key eval-top-k eval-top-p
fetch-trajectory-retry-times gamma hf-checkpoint http-proxy input-key kl-coef kl-loss-coef kl-loss-type
label-key lambd load-debug-rollout-data load-debug-rollout-data-subsample load-forge-rollout-data
log-probs-chunk-size log-probs-max-tokens-per-gpu log-reward-category loss-mask-type loss-type
max-tokens-per-gpu megatron-config-path memory-recorder memory-snapshot-dir memory-snapshot-num-steps
metadata-key min-batch-collection-ratio model-name multimodal-keys n-samples-per-eval-prompt
n-samples-per-prompt num-critic-only-steps num-epoch num-gpus-per-node num-rollout num-steps-per-rollout
opd-kl-coef opd-teacher-ckpt-step opd-teacher-load opd-type opsm-delta over-sampling-batch-size
prefill-num-servers prompt-data qwen-gdn-backend ref-ckpt-step ref-load ref-update-interval reward-key
rm-type rm-url rollout-all-samples-process-path rollout-batch-size rollout-buffer-url
rollout-data-postprocess-path rollout-data-transport rollout-function-path rollout-health-check-first-wait
rollout-health-check-interval rollout-health-check-timeout rollout-max-context-len rollout-max-prompt-len
rollout-max-response-len rollout-num-gpus rollout-num-gpus-per-engine rollout-sample-filter-path
rollout-sample-hook-path rollout-seed rollout-task-type rollout-temperature rollout-top-k rollout-top-p
save-debug-rollout-data save-debug-train-data save-hf sglang-config sglang-server-concurrency
start-rollout-id tb-experiment-name tb-project-name tis-clip tis-clip-low tool-key train-backend
train-env-vars update-weight-buffer-size update-weight-delta-checksum update-weight-delta-encoding
update-weight-disk-dir update-weight-local-checkpoint-dir update-weight-mode update-weight-transport
update-weights-interval value-clip wandb-dir wandb-group wandb-host wandb-key wandb-mode wandb-run-id
wandb-team
`,
    values: `
eval-prompt-data freeze-params-name-list megatron-deepgemm-forward-layers megatron-deepgemm-forward-modules
megatron-deepgemm-moe-forward-layers megatron-deepgemm-moe-forward-modules only-train-params-name-list
profile-target rollout-external-engine-addrs rollout-stop rollout-stop-token-ids
`,
  },
  megatron: {
    prefix: "--",
    bare: `
account-for-embedding-in-pipeline-split account-for-loss-in-pipeline-split
accumulate-allreduce-grads-in-fp32 add-qkv-bias adlr-autoresume allow-ambiguous-pad-tokens
apply-layernorm-1p apply-query-key-layer-scaling apply-residual-connection-post-layernorm
apply-wd-to-qk-layernorm async-save attention-output-gate attention-softmax-in-fp32 auto-detect-ckpt-format
batch-invariant-mode bert-no-binary-head bf16 biencoder-shared-query-context-model cache-mla-latents
calc-ft-timeouts calculate-per-token-loss check-for-large-grads check-for-spiky-loss checkpoint-activations
ckpt-assume-constant-structure ckpt-convert-update-legacy-dist-opt-format ckpt-fully-parallel-load
ckpt-fully-parallel-save create-all-gather-group cross-entropy-loss-fusion data-parallel-random-init
dataloader-defer-npy-index-mmap dataloader-fast-cache-load ddp-average-in-collective
ddp-pad-buckets-for-high-nccl-busbw ddp-reduce-scatter-with-fp32-accumulation decode-only-cuda-graphs
decrease-batch-size-if-needed defer-embedding-wgrad-compute delay-wgrad-compute deterministic-mode
dino-norm-last-layer disable-async-tensor-model-parallel-allreduce disable-bf16-reduced-precision-matmul
disable-bias-linear disable-chunked-prefill disable-ckpt-fully-parallel-save
disable-clone-scatter-output-in-embedding disable-fp8-wgrad disable-gloo-process-groups disable-jit-fuser
disable-log-loss-scale-to-tensorboard disable-mamba-mem-eff-path disable-manual-gc-eval disable-msc
disable-straggler-on-startup disable-strict-fsdp-dtensor-load disable-symmetric-registration
disable-tp-comm-bulk-dgrad disable-tp-comm-bulk-wgrad disable-tp-comm-overlap-ag disable-tp-comm-overlap-rs
disable-tp-comm-split-ag disable-tp-comm-split-rs disable-use-tokenizer-model-from-checkpoint-args
dist-ckpt-optim-fully-reshardable dist-ckpt-save-pre-mcore-014 distrib-optim-fully-reshardable-mem-efficient
distribute-saved-activations dsa-indexer-use-sparse-loss enable-chunked-prefill enable-cuda-graph
enable-experimental enable-ft-package enable-full-sharding-in-hsdp eod-mask-loss
ep-overlap-early-attn-memory-release exit-on-missing-checkpoint exit-signal-handler
exit-signal-handler-for-dataloader external-cuda-graph fake-process-group fallback-to-eager-attn fim-data
fine-grained-activation-offloading finetune first-last-layers-bf16 flash-decode fp16 fp16-lm-cross-entropy
fp32-residual-connection fp4-param-gather fp8-param-gather fsdp-double-buffer fsdp-manual-registration
full-validation grad-reduce-in-bf16 group-query-attention grpo-filter-groups-with-same-reward help
hybrid-context-parallel inference-dynamic-batching inference-dynamic-batching-track-paused-request-events
inference-fuse-tp-communication inference-rng-tracker inference-wandb-logging init-method-xavier-uniform
init-model-with-meta-device inprocess-empty-cuda-cache inprocess-restart is-hybrid-model
keep-fp8-transpose-cache langrl-external-server legacy-tokenizer load-main-params-from-ckpt
log-device-memory-used log-energy log-max-attention-logit log-memory-to-tensorboard log-num-zeros-in-grad
log-params-norm log-progress log-straggler log-throughput log-timers-to-tensorboard
log-validation-ppl-to-tensorboard log-world-size-to-tensorboard manual-gc mock-data moe-apply-probs-on-input
moe-enable-deepep moe-enable-routing-replay moe-extended-tp moe-grouped-gemm moe-layer-recompute
moe-pad-expert-input-to-capacity moe-pad-experts-for-cuda-graph-inference moe-per-layer-logging
moe-permute-fusion moe-router-enable-expert-bias moe-router-force-load-balancing moe-router-fusion
moe-router-padding-for-fp8 moe-router-padding-for-quantization moe-router-pre-softmax moe-shared-expert-gate
moe-shared-expert-overlap moe-use-legacy-grouped-gemm moe-use-upcycling mtp-standalone
multi-latent-attention multiple-validation-sets muon-no-split-qkv muon-use-nesterov
nccl-all-reduce-for-prefill no-align-grad-reduce no-align-param-gather
no-async-tensor-model-parallel-allreduce no-barrier-with-level-1-timing no-bias-dropout-fusion
no-bias-gelu-fusion no-bias-swiglu-fusion no-check-for-nan-in-loss-and-grad no-ckpt-fully-parallel-save
no-clone-scatter-output-in-embedding no-create-attention-mask-in-dataloader no-data-sharding no-fp8-wgrad
no-gradient-accumulation-fusion no-gradient-reduce-div-fusion no-inference-wandb-logging no-initialization
no-langrl-external-server no-load-optim no-load-rng no-log-loss-scale-to-tensorboard no-manual-gc-eval
no-masked-softmax-fusion no-mmap-bin-files no-one-logger no-overlap-p2p-communication no-persist-layer-norm
no-pin-cpu-grads no-pin-cpu-params no-position-embedding no-rl-calculate-intra-group-similarity
no-rl-inference-logprobs-is-correction no-rl-offload-inference-model-weights-when-idle
no-rl-offload-kv-cache-during-training no-rl-partial-rollouts no-rl-remove-kv-cache-during-training
no-rl-reset-cuda-graphs no-rl-skip-bos-token no-rl-training-cuda-graphs no-rl-use-sequence-packing
no-rl-verify-model-weights-swap no-rope-fusion no-save-optim no-save-rng
no-scatter-gather-tensors-in-pipeline no-strict-fsdp-dtensor-load no-tp-comm-bulk-dgrad
no-tp-comm-bulk-wgrad no-tp-comm-overlap-ag no-tp-comm-overlap-rs no-tp-comm-split-ag no-tp-comm-split-rs
no-use-tokenizer-model-from-checkpoint-args offload-optimizer-states one-logger-async openai-gelu
optimizer-cpu-offload output-bert-embeddings overlap-cpu-optimizer-d2h-h2d overlap-grad-reduce
overlap-moe-expert-parallel-comm overlap-p2p-communication-warmup-flush overlap-param-gather
overlap-param-gather-with-optimizer-step override-opt-param-scheduler override-opt_param-scheduler
perform-rl-step post-mlp-layernorm post-self-attn-layernorm profile qk-clip qk-l2-norm qk-layernorm
quick-geglu recompute-activations record-memory-history replication reset-attention-mask reset-position-ids
retriever-score-scaling reuse-grad-buf-for-mxfp8-param-ag rl-calculate-intra-group-similarity
rl-inference-logprobs-is-correction rl-offload-inference-model-weights-when-idle
rl-offload-kv-cache-during-training rl-offload-optimizer-during-inference rl-partial-rollouts
rl-remove-kv-cache-during-training rl-reset-cuda-graphs rl-skip-bos-token rl-training-cuda-graphs
rl-use-sequence-packing rl-verify-model-weights-swap rotary-interleaved run-workload-inspector-server
sequence-parallel sft skip-train squared-relu swiglu te-rng-tracker test-mode
tokenizer-hf-include-special-tokens tokenizer-hf-use-fast tokenizer-sentencepiece-legacy
torch-fsdp2-no-reshard-after-forward tp-comm-overlap tp-comm-overlap-rs-dgrad trust-remote-code
untie-embeddings-and-output-weights use-checkpoint-args use-checkpoint-opt-param-scheduler
use-checkpoint-opt_param-scheduler use-cpu-initialization use-dist-ckpt use-distributed-optimizer
use-flash-attn use-fused-weighted-squared-relu use-gated-attention use-kitchen-attention use-legacy-models
use-legacy-static-engine use-mcore-models use-megatron-fsdp use-mp-args-from-checkpoint-args use-nccl-ub
use-one-sent-docs use-persistent-ckpt-worker use-precision-aware-optimizer use-pytorch-profiler
use-ring-exchange-p2p use-rope-scaling use-rotary-position-embeddings use-sharp use-te-activation-func
use-torch-fsdp2 use-torch-optimizer-for-cpu-offload use-tp-pp-dp-mapping vision-pretraining
`,
    value: `
activation-func-clamp-value adam-beta1 adam-beta2 adam-eps adlr-autoresume-interval app-tag-run-name
app-tag-run-version attention-backend attention-dropout batch-size bert-embedder-type bert-load
biencoder-projection-dim block-data-path check-weight-hash-across-dp-replicas-interval ckpt-convert-format
ckpt-convert-save ckpt-format ckpt-step classes-fraction clip-grad config-logger-dir context-parallel-size
cpu-offloading-num-layers cross-entropy-fusion-impl cuda-graph-impl cuda-graph-warmup-steps data-args-path
data-cache-path data-parallel-sharding-strategy data-per-class-fraction dataloader-type ddp-bucket-size
ddp-num-buckets decoder-first-pipeline-num-layers decoder-last-pipeline-num-layers decoder-num-layers
decoder-seq-length decoupled-lr decoupled-min-lr dino-bottleneck-size dino-freeze-last-layer
dino-head-hidden-size dino-local-crops-number dino-local-img-size dino-teacher-temp dino-warmup-teacher-temp
dino-warmup-teacher-temp-epochs dist-ckpt-format dist-ckpt-strictness distributed-backend
distributed-timeout-minutes distributed-timeout-seconds-after-init dsa-indexer-head-dim
dsa-indexer-loss-coeff dsa-indexer-n-heads dsa-indexer-topk dump-param-to-param-group-map
embedding-init-method-std embedding-path empty-unused-memory-level encoder-num-layers encoder-seq-length
end-weight-decay error-injection-rate error-injection-type eval-interval eval-iters evidence-data-path
exit-duration-in-mins exit-interval exit-signal exp-avg-dtype exp-avg-sq-dtype
experimental-attention-variant expert-model-parallel-size expert-tensor-parallel-size ffn-hidden-size
fim-eod-token fim-fragment-rate fim-middle-token fim-no-prefix fim-pad-token fim-prefix-token fim-rate
fim-split-sample fim-spm-rate fim-suffix-token fp4-format fp4-quantizer-factory fp4-recipe
fp8-amax-compute-algo fp8-amax-history-len fp8-format fp8-interval fp8-margin fp8-quantizer-factory
fp8-recipe ft-num-warmup-iters global-batch-size glu-linear-offset grpo-clamp-eps-lower grpo-clamp-eps-upper
grpo-entropy-term-weight grpo-group-size grpo-iterations grpo-kl-beta grpo-prompts-per-step head-lr-mult
heterogeneous-layers-config-encoded-json heterogeneous-layers-config-path hidden-dropout hidden-size
hybrid-attention-ratio hybrid-mlp-ratio hybrid-override-pattern hysteresis ict-head-size ict-load img-h
img-w indexer-batch-size indexer-log-interval inference-batch-times-seqlen-threshold
inference-coordinator-port inference-dynamic-batching-block-size inference-dynamic-batching-buffer-size-gb
inference-dynamic-batching-cuda-graph-max-tokens inference-dynamic-batching-cuda-graph-mixed-prefill-count
inference-dynamic-batching-max-requests inference-dynamic-batching-max-tokens
inference-dynamic-batching-num-cuda-graphs inference-dynamic-batching-paused-buffer-size-gb
inference-dynamic-batching-unified-memory-level inference-logging-step-interval inference-max-batch-size
inference-max-requests inference-max-seq-length init-method-std initial-loss-scale
inprocess-active-world-size inprocess-barrier-timeout inprocess-completion-timeout inprocess-granularity
inprocess-hard-timeout inprocess-heartbeat-interval inprocess-heartbeat-timeout inprocess-last-call-wait
inprocess-max-iterations inprocess-monitor-process-interval inprocess-monitor-thread-interval
inprocess-progress-watchdog-interval inprocess-soft-timeout inprocess-termination-grace-time iter-per-epoch
kitchen-attention-backend kv-channels kv-lora-rank langrl-env-config
langrl-inference-server-conversation-template langrl-inference-server-type lazy-mpu-init
linear-attention-freq linear-attention-type linear-conv-kernel-dim linear-key-head-dim linear-num-key-heads
linear-num-value-heads linear-value-head-dim load local-rank log-interval log-memory-interval logging-level
loss-scale loss-scale-window lr lr-decay-iters lr-decay-samples lr-decay-style lr-warmup-fraction
lr-warmup-init lr-warmup-iters lr-warmup-samples lr-wsd-decay-iters lr-wsd-decay-samples lr-wsd-decay-style
main-grads-dtype main-params-dtype make-vocab-size-divisible-by mamba-head-dim mamba-num-groups
mamba-num-heads mamba-state-dim manual-gc-interval mask-factor mask-prob mask-type max-position-embeddings
max-seqlen-per-dp-cp-rank max-tokens-to-oom memory-snapshot-path merge-file micro-batch-size
microbatch-group-size-per-virtual-pipeline-stage mid-level-dataset-surplus min-loss-scale min-lr
min-offloaded-tensor-size mlp-chunks-for-prefill model-parallel-size moe-deepep-num-sms
moe-expert-capacity-factor moe-ffn-hidden-size moe-flex-dispatcher-backend moe-hybridep-num-sms
moe-input-jitter-eps moe-latent-size moe-layer-freq moe-router-bias-update-rate moe-router-dtype
moe-router-force-biased moe-router-group-topk moe-router-num-groups moe-router-score-function
moe-router-topk moe-router-topk-scaling-factor moe-shared-expert-intermediate-size moe-token-dispatcher-type
moe-token-drop-policy moe-upcycling-granularity moe-z-loss-coeff mscale mscale-all-dim
mtp-loss-scaling-factor mtp-num-layers muon-extra-scale-factor muon-fp32-matmul-prec muon-momentum
muon-num-ns-steps muon-scale-mode muon-tp-mode nccl-communicator-config-path no-rope-freq
no-weight-decay-cond-type non-persistent-ckpt-type non-persistent-global-ckpt-dir
non-persistent-local-ckpt-algo non-persistent-local-ckpt-dir non-persistent-save-interval norm-epsilon
normalization num-attention-heads num-channels num-classes num-dataset-builder-threads
num-distributed-optimizer-instances num-experts num-layers num-layers-at-end-in-bf16
num-layers-at-start-in-bf16 num-layers-per-virtual-pipeline-stage num-query-groups
num-virtual-stages-per-pipeline-rank num-workers object-storage-cache-path one-logger-project
one-logger-run-name onnx-safe optimizer optimizer-offload-fraction outer-dp-sharding-strategy
padded-vocab-size patch-dim per-dataset-sequences-path per-split-data-args-path persistent-save-interval
phase-transition-iterations pipeline-model-parallel-comm-backend pipeline-model-parallel-layout
pipeline-model-parallel-size position-embedding-type pretrained-checkpoint profile-step-end
profile-step-start q-lora-rank qk-clip-alpha qk-clip-threshold qk-head-dim qk-pos-emb-head-dim
query-in-block-prob rampup-batch-size recompute-granularity recompute-method recompute-num-layers
refit-method relative-attention-max-distance relative-attention-num-buckets replication-factor
replication-jump rerun-mode result-rejected-tracker-filename rl-default-temperature rl-default-top-k
rl-default-top-p rl-importance-sampling-truncation-coef rl-inference-expert-model-parallel-size
rl-inference-expert-tensor-model-parallel-size rl-inference-model-unified-memory-level
rl-inference-pipeline-model-parallel-size rl-inference-tensor-model-parallel-size
rl-parallel-generation-tasks rl-prompts-per-eval rl-sequence-packing-algo
rl-sequence-packing-max-sequences-per-bin rope-scaling-factor rope-type rotary-base rotary-percent
rotary-scaling-factor rotary-seq-len-interpolation-factor sample-rate save save-dgrads-interval
save-interval save-retain-interval save-wgrads-interval seed seq-length sft-tokenizer-prompt-format
sgd-momentum sharp-enabled-group short-seq-prob softmax-type split start-weight-decay straggler-ctrlr-port
straggler-minmax-count suggested-communication-unit-size swin-backbone-type symmetric-ar-type
te-precision-config-file tensor-model-parallel-size tensorboard-dir tensorboard-log-interval
tensorboard-queue-size tiktoken-num-special-tokens tiktoken-pattern timing-log-level timing-log-option
titles-data-path tokenizer-metadata tokenizer-model tokenizer-type tp-comm-bootstrap-backend
tp-comm-overlap-cfg train-iters train-samples train-sync-interval transformer-impl v-head-dim
vision-backbone-type vision-pretraining-type vocab-extra-ids vocab-file vocab-size wandb-entity
wandb-exp-name wandb-project wandb-save-dir warmup weight-decay weight-decay-incr-style wgrad-deferral-limit
window-attn-skip-freq window-size yaml-cfg
`,
    values: `
cp-comm-type cuda-graph-scope data-path hierarchical-context-parallel-sizes high-priority-stream-groups
iterations-to-skip moe-aux-loss-coeff moe-router-load-balancing-type mrope-section offload-modules
profile-ranks recompute-modules retriever-report-topk-accuracies spec test-data-path tiktoken-special-tokens
tokenizer-special-tokens train-data-path valid-data-path
`,
  },
  sglang: {
    prefix: "--sglang-",
    bare: `
abort-on-priority-when-disabled allow-auto-truncate checkpoint-engine-wait-weights-before-ready
constrained-json-disable-any-whitespace debug-cuda-graph delete-ckpt-after-loading disable-attn-tp-gather
disable-chunked-prefix-cache disable-cuda-graph disable-cuda-graph-padding disable-custom-all-reduce
disable-decode-cuda-graph disable-fast-image-processor disable-flashinfer-autotune
disable-flashinfer-cutlass-moe-fp4-allgather disable-hybrid-swa-memory disable-outlines-disk-cache
disable-overlap-schedule disable-piecewise-cuda-graph disable-prefill-cuda-graph disable-priority-preemption
disable-radix-cache disable-shared-experts-fusion disable-tokenizer-batch-decode
disaggregation-decode-enable-offload-kvcache disaggregation-decode-enable-radix-cache elastic-ep-rejoin
enable-adaptive-dispatch-to-encoder enable-aiter-allreduce-fusion enable-attn-tp-input-scattered
enable-breakable-cuda-graph enable-broadcast-mm-inputs-process enable-cache-report enable-cudagraph-gc
enable-custom-logit-processor enable-deepep-waterfill enable-deepseek-v4-fp4-indexer
enable-deterministic-inference enable-dp-attention enable-dp-attention-local-control-broadcast
enable-dp-lm-head enable-draft-weights-cpu-backup enable-dsa-prefill-context-parallel
enable-dynamic-batch-tokenizer enable-dynamic-chunking enable-elastic-expert-backup enable-eplb
enable-expert-distribution-metrics enable-flashinfer-allreduce-fusion enable-forward-pass-metrics
enable-fp32-lm-head enable-fp32-moe-router enable-fused-moe-sum-all-reduce enable-fused-qk-norm-rope
enable-hierarchical-cache enable-hisparse enable-http2 enable-int8-mamba-checkpoint
enable-layerwise-nvtx-marker enable-linear-replayssm enable-lmcache enable-lora enable-lora-overlap-loading
enable-mamba-cache-stochastic-rounding enable-metrics enable-metrics-for-all-schedulers enable-mfu-metrics
enable-mis enable-mixed-chunk enable-mm-global-cache enable-mscclpp enable-multi-layer-eagle
enable-multimodal enable-nccl-nvls enable-nsa-prefill-context-parallel enable-p2p-check
enable-page-major-kv-layout enable-pdmux enable-precise-embedding-interpolation
enable-prefill-context-parallel enable-prefill-cp enable-prefill-delayer enable-prefix-mm-cache
enable-priority-scheduling enable-profile-cuda-graph enable-quant-communications
enable-request-time-stats-logging enable-return-hidden-states enable-return-indexer-topk
enable-session-radix-cache enable-single-batch-overlap enable-ssl-refresh enable-streaming-session
enable-strict-thinking enable-symm-mem enable-tf32-matmul enable-tokenizer-batch-encode enable-torch-compile
enable-torch-compile-debug-mode enable-torch-symm-mem enable-trace enable-two-batch-overlap
enable-unified-memory enable-weights-cpu-backup encoder-only enforce-disable-flashinfer-allreduce-fusion
enforce-piecewise-cuda-graph enforce-shared-experts-fusion experts-shared-outer-loras export-metrics-to-file
flashinfer-mla-disable-ragged grpc-mode incremental-streaming-output is-embedding keep-mm-feature-on-device
language-only log-requests lora-strict-loading lora-use-virtual-experts mm-enable-dp-encoder pre-warm-nccl
prefill-only-disable-kv-cache quantize-and-serve release-hicache
remote-instance-weight-loader-start-seed-via-transfer-engine schedule-low-priority-values-first
show-time-cost skip-tokenizer-init sleep-on-idle speculative-adaptive speculative-skip-dp-mlp-sync
speculative-use-rejection-sampling stream-output stream-response-default-include-usage strip-thinking-cache
triton-attention-reduce-in-fp32 use-ray weight-loader-disable-mmap weight-loader-drop-cache-after-load
weight-loader-prefetch-checkpoints
`,
    value: `
admin-api-key api-key asr-max-buffer-seconds asr-max-concurrent-sessions attention-backend
attention-context-parallel-size attn-cp-size batch-notify-size bf16-gemm-backend chat-template
chunked-prefill-size completion-template constrained-json-whitespace-pattern context-length cp-strategy
cpu-offload-gb crash-dump-folder cuda-graph-backend-decode cuda-graph-backend-prefill cuda-graph-config
cuda-graph-max-bs cuda-graph-max-bs-decode cuda-graph-max-bs-prefill cuda-graph-tc-compiler
custom-pull-weights-pre-read-hook data-parallel-size dcp-size debug-tensor-dump-input-file
debug-tensor-dump-output-folder decode-attention-backend decode-context-parallel-size decode-log-interval
decoupled-spec-bind-endpoint decoupled-spec-connect-endpoints decoupled-spec-rank decoupled-spec-role
decrypted-config-file decrypted-draft-config-file deepep-config deepep-dispatcher-output-dtype deepep-mode
default-priority-value detokenizer-worker-num device disaggregation-bootstrap-port
disaggregation-decode-extra-slots disaggregation-decode-polling-interval disaggregation-ib-device
disaggregation-mode disaggregation-transfer-backend dist-timeout dllm-algorithm dllm-algorithm-config
download-dir dp-size dsa-decode-backend dsa-paged-mqa-logits-backend dsa-prefill-backend dsa-prefill-cp-mode
dsa-topk-backend dtype dynamic-batch-tokenizer-batch-size dynamic-batch-tokenizer-batch-timeout
elastic-ep-backend encoder-bootstrap-port encoder-transfer-backend engine-info-bootstrap-port ep
ep-dispatch-algorithm ep-num-redundant-experts ep-size eplb-algorithm
eplb-min-rebalancing-utilization-threshold eplb-rebalance-layers-per-chunk eplb-rebalance-num-iterations
expert-distribution-recorder-buffer-size expert-distribution-recorder-mode expert-parallel-size
export-metrics-to-file-dir extra-metric-labels fastapi-root-path file-storage-path
flashinfer-allreduce-fusion-backend flashinfer-mxfp4-moe-precision forward-hooks
forward-pass-metrics-ipc-name forward-pass-metrics-worker-id fp4-gemm-backend fp8-gemm-backend
gc-warning-threshold-secs grammar-backend grpc-http-sidecar-port hf-chat-template-name hicache-io-backend
hicache-mem-layout hicache-ratio hicache-size hicache-storage-backend hicache-storage-backend-extra-config
hicache-storage-prefetch-policy hicache-write-policy hierarchical-sparse-attention-extra-config
hisparse-config host init-expert-location int8-mamba-ckpt-size json-model-override-args kt-cpuinfer
kt-max-deferred-experts-per-token kt-method kt-num-gpu-experts kt-threadpool-count kt-weight-path
kv-cache-dtype kv-canary kv-canary-real-data kv-canary-sweep-interval kv-events-config
limit-mm-data-per-request linear-attn-backend linear-attn-decode-backend linear-attn-prefill-backend
linear-replayssm-cache-len lmcache-config-file load-balance-method load-format
load-snapshot-publish-interval log-level log-level-http log-requests-format log-requests-level lora-backend
lora-drain-wait-threshold lora-eviction-policy mamba-backend mamba-cache-philox-rounds
mamba-full-memory-ratio mamba-radix-cache-strategy mamba-scheduler-strategy mamba-ssm-dtype
mamba-track-interval max-loaded-loras max-lora-chunk-size max-lora-rank max-loras-per-batch
max-mamba-cache-size max-prefill-tokens max-queued-requests max-running-requests max-total-tokens
mem-fraction-static min-free-slots-delay mm-attention-backend mm-process-config model-config-parser
model-impl model-loader-extra-config modelexpress-config modelopt-checkpoint-restore-path
modelopt-checkpoint-save-path modelopt-export-path modelopt-quant moe-a2a-backend moe-data-parallel-size
moe-dense-tp-size moe-dp-size moe-runner-backend mooncake-ib-device msprobe-dump-config nsa-decode-backend
nsa-prefill-backend nsa-prefill-cp-mode num-continuous-decode-steps num-reserved-decode-tokens
offload-group-size offload-mode offload-num-in-group offload-prefetch-step optimistic-prefill-retries
otlp-traces-endpoint page-size pdmux-config-path piecewise-cuda-graph-compiler
piecewise-cuda-graph-max-tokens pipeline-parallel-size pp-async-batch-depth pp-max-micro-batch-size pp-size
preferred-sampling-params prefill-attention-backend prefill-cp-mode prefill-delayer-max-delay-ms
prefill-delayer-max-delay-passes prefill-delayer-queue-min-ratio prefill-delayer-token-usage-low-watermark
prefill-max-requests priority-scheduling-preemption-threshold quantization quantization-param-path
radix-cache-backend radix-eviction-policy reasoning-parser remote-instance-weight-loader-backend
remote-instance-weight-loader-seed-instance-ip remote-instance-weight-loader-seed-instance-service-port
remote-instance-weight-loader-send-weights-group-ports revision rl-on-policy-target rl-quant-profile
sampling-backend sampling-defaults schedule-conservativeness schedule-policy scheduler-recv-interval
served-model-name sm-group-num soft-watchdog-timeout spec-trace-dir speculative-accept-threshold-acc
speculative-accept-threshold-single speculative-adaptive-config speculative-algorithm
speculative-attention-mode speculative-dflash-block-size speculative-dflash-draft-window-size
speculative-draft-attention-backend speculative-draft-load-format speculative-draft-model
speculative-draft-model-path speculative-draft-model-quantization speculative-draft-model-revision
speculative-draft-window-size speculative-eagle-topk speculative-moe-a2a-backend
speculative-moe-runner-backend speculative-ngram-capacity speculative-ngram-external-corpus-max-tokens
speculative-ngram-external-corpus-path speculative-ngram-external-sam-budget speculative-ngram-match-type
speculative-ngram-max-bfs-breadth speculative-ngram-max-trie-depth speculative-ngram-min-bfs-breadth
speculative-num-draft-tokens speculative-num-steps speculative-token-map ssl-ca-certs ssl-certfile
ssl-keyfile ssl-keyfile-password stream-interval swa-full-tokens-ratio tbo-token-distribution-threshold
tokenizer-backend tokenizer-metrics-custom-labels-header tokenizer-mode tokenizer-path tokenizer-worker-num
tool-call-parser tool-server torch-compile-max-bs torchao-config trace-modules
triton-attention-num-kv-splits triton-attention-split-tile-size warmups watchdog-timeout
weight-loader-prefetch-num-threads weight-version
`,
    values: `
bucket-e2e-request-latency bucket-inter-token-latency bucket-time-to-first-token cuda-graph-bs
cuda-graph-bs-decode cuda-graph-bs-prefill custom-weight-loader debug-tensor-dump-layers
encoder-register-urls encoder-urls gc-threshold generation-tokens-buckets log-requests-target lora-paths
lora-target-modules model-checksum numa-node piecewise-cuda-graph-tokens
prefill-delayer-forward-passes-buckets prefill-delayer-wait-seconds-buckets prompt-tokens-buckets
tokenizer-metrics-allowed-custom-labels uvicorn-access-log-exclude-prefixes
`,
  },
  router: {
    prefix: "--",
    bare: `
help router-control-plane-audit-enabled router-disable-circuit-breaker router-disable-health-check
router-disable-retries router-dp-aware router-enable-igw router-enable-trace router-mini-lb
router-pd-disaggregation router-service-discovery router-tokenizer-cache-enable-l0
router-tokenizer-cache-enable-l1
`,
    value: `
router-api-key router-assignment-mode router-backend router-balance-abs-threshold
router-balance-rel-threshold router-bucket-adjust-interval-secs router-cache-threshold
router-cb-failure-threshold router-cb-success-threshold router-cb-timeout-duration-secs
router-cb-window-duration-secs router-chat-template router-client-cert-path router-client-key-path
router-decode router-decode-policy router-eviction-interval-secs router-health-check-endpoint
router-health-check-interval-secs router-health-check-timeout-secs router-health-failure-threshold
router-health-success-threshold router-history-backend router-jwt-audience router-jwt-issuer
router-jwt-jwks-uri router-log-dir router-log-level router-max-concurrent-requests router-max-idle-secs
router-max-payload-size router-max-tree-size router-mcp-config-path router-model-path
router-oracle-connect-descriptor router-oracle-password router-oracle-pool-max router-oracle-pool-min
router-oracle-pool-timeout-secs router-oracle-tns-alias router-oracle-username router-oracle-wallet-path
router-otlp-traces-endpoint router-policy router-postgres-db-url router-postgres-pool-max
router-prefill-policy router-prometheus-host router-prometheus-port router-queue-size
router-queue-timeout-secs router-rate-limit-tokens-per-second router-reasoning-parser router-redis-pool-max
router-redis-retention-days router-redis-url router-request-timeout-secs router-retry-backoff-multiplier
router-retry-initial-backoff-ms router-retry-jitter-factor router-retry-max-backoff-ms
router-retry-max-retries router-service-discovery-namespace router-service-discovery-port
router-shutdown-grace-period-secs router-tls-cert-path router-tls-key-path
router-tokenizer-cache-l0-max-entries router-tokenizer-cache-l1-max-memory router-tokenizer-path
router-tool-call-parser router-worker-startup-check-interval router-worker-startup-timeout-secs
sglang-router-ip sglang-router-port sglang-router-request-timeout-secs
`,
    values: `
router-ca-cert-paths router-control-plane-api-keys router-cors-allowed-origins router-decode-selector
router-jwt-role-mapping router-prefill router-prefill-selector router-prometheus-duration-buckets
router-request-id-headers router-selector worker-urls
`,
  },
};

/**
 * All flags, keyed by their names with leading dashes, such as `--num-rollout`. If several programs define the same
 * name, the order of precedence is slime, Megatron-LM, SGLang, router.
 */
export const KNOWN_FLAGS: ReadonlyMap<string, KnownFlag> = readNames();

function readNames(): Map<string, KnownFlag> {
  const flags = new Map<string, KnownFlag>();
  for (const source of ["router", "sglang", "megatron", "slime"] as const) {
    for (const arity of ["bare", "value", "values"] as const) {
      const { prefix, [arity]: names } = NAMES[source];
      for (const name of names.trim().split(/\s+/)) {
        flags.set(`${prefix}${name}`, { source, arity });
      }
    }
  }
  return flags;
}
