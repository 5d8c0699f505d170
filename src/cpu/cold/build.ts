/** Composes the cold tier at build time. */
import { Code } from '../iced.js';
import { GATE_SLOT, NO_HANDLER, handlerSlot } from '../handler-slots.js';
import { families, floatingUnitOf } from '../isa/index.js';
import { parseShapeKey } from '../isa/shape-key.js';
import { enumerateShapes, type Shape } from '../isa/shapes.js';
import { Lifter } from '../ir/lifter.js';
import { buildColdModule } from './module.js';
import { commonShapes } from './common-shapes.js';
import type { ProcessorArtifacts } from '../artifacts.js';

/** Everything of ProcessorArtifacts but the core, which asc compiles. */
export function buildCold(): Omit<ProcessorArtifacts, 'core'> {
  const gate = gateShape();
  const shapes = [...enumerateShapes(families), gate];
  const module = buildColdModule(shapes, commonShapes);
  const observing = buildColdModule(shapes, commonShapes, { observing: true });
  const codes = Math.max(...Object.values(Code).filter((code) => typeof code === 'number')) + 1;
  const handlers = new Uint16Array(codes * 4).fill(NO_HANDLER);
  for (const shape of shapes) {
    const slot = shape === gate ? GATE_SLOT : handlerSlot(shape.code, shape.memory, shape.longCode);
    handlers[slot] = module.handlers.get(shape.key) ?? NO_HANDLER;
  }
  const names: string[] = [];
  for (const [key, index] of module.handlers) names[index] = key;
  for (const [name, index] of Object.entries(module.pseudo)) names[index] = `(${name})`;
  const units = Uint8Array.from(names, (name) => floatingUnitOf(parseShapeKey(name).name));
  return {
    cold: module.bytes,
    observing: observing.bytes,
    units,
    handlers,
    pseudo: module.pseudo,
    hotBase: module.hotBase,
    names,
  };
}

/** The firmware gate (types.ts gateCode): no x86 code, so it stands at iced's INVALID. */
function gateShape(): Shape {
  const lifter = new Lifter([], true);
  lifter.helper('firmwareGate');
  return { code: 0, memory: false, operands: [], longCode: true, lifter, key: 'firmwareGate' };
}
