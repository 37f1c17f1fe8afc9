/** Computes the gated unit of the MLP: act = gate·sigmoid(gate)·up. Rows of `gateUp` are `[gate | up]`. */
import { madd, sigmoid4 } from "./math";

export function activate(
  gateUp: usize,
  gateUpStride: usize,
  act: usize,
  actStride: usize,
  rows: i32,
  hidden: i32,
): void {
  const bytes = <usize> hidden << 2;
  for (let i = 0; i < rows; i++) {
    for (let o: usize = 0; o < bytes; o += 16) {
      const g = v128.load(gateUp + o);
      const u = v128.load(gateUp + bytes + o);
      v128.store(act + o, f32x4.mul(f32x4.mul(g, sigmoid4(g)), u));
    }
    gateUp += gateUpStride;
    act += actStride;
  }
}

/** Writes the gradient of `gateUp`, and recomputes `act`, which was not kept. */
export function activateBack(
  gateUp: usize,
  dGateUp: usize,
  gateUpStride: usize,
  act: usize,
  dAct: usize,
  actStride: usize,
  rows: i32,
  hidden: i32,
): void {
  const bytes = <usize> hidden << 2;
  const one = f32x4.splat(1);
  for (let i = 0; i < rows; i++) {
    for (let o: usize = 0; o < bytes; o += 16) {
      const g = v128.load(gateUp + o);
      const u = v128.load(gateUp + bytes + o);
      const d = v128.load(dAct + o);
      const s = sigmoid4(g);
      const silu = f32x4.mul(g, s);
      v128.store(act + o, f32x4.mul(silu, u));
      v128.store(dGateUp + bytes + o, f32x4.mul(d, silu));
      // silu' = s + g·s·(1 - s)
      const slope = madd(silu, f32x4.sub(one, s), s);
      v128.store(dGateUp + o, f32x4.mul(f32x4.mul(d, u), slope));
    }
    gateUp += gateUpStride;
    dGateUp += gateUpStride;
    act += actStride;
    dAct += actStride;
  }
}
