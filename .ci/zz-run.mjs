import { readFileSync } from 'node:fs';
import { loadProcessorArtifacts } from '../src/host/processor-artifacts.ts';
import { buildCold } from '../src/cpu/cold/build.ts';
import { Machine } from '../src/machine.ts';
import { linux } from '../src/firmware/index.ts';
import { doors } from '../src/boot/index.ts';
import { readImage } from '../src/loaders/read-image.ts';
const [kernel, initrd, doorName='pvh', th] = process.argv.slice(2);
const artifacts = { ...loadProcessorArtifacts(), ...buildCold({ }) };
const image = readImage(readFileSync(kernel));
await image.prepare();
for (const compileAfter of th.split(',')) {
const machine = new Machine({ artifacts, memoryBytes: 1024 << 20, profile: linux, compileAfter: +compileAfter||compileAfter });
const t0=performance.now(); const c0=process.cpuUsage();
machine.boot(doors.find(d=>d.name===doorName), image, { commandLine: 'console=ttyS0', initrd: readFileSync(initrd), modules: [] });
const t1=performance.now();
while (machine.outcome === undefined) {
  machine.run(5e6);
  if (machine.idle) machine.skipTo(machine.idleUntil() ?? machine.ticks + 1e9);
}
const t2=performance.now(); const c=process.cpuUsage(c0);
const view = new DataView(machine.processor.wasm.buffer);
console.log(compileAfter, 'entry', (t1-t0)|0, 'run', (t2-t1)|0, 'cpu', (c.user/1000)|0, (c.system/1000)|0, 'hotcalls', view.getBigUint64(0x1390,true), 'cold leaves', view.getBigUint64(0x1398,true), JSON.stringify(machine.processor.hot.statistics), machine.ticks, machine.outcome.reason);
}
