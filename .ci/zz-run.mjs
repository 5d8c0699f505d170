import { readFileSync } from 'node:fs';
import { loadProcessorArtifacts } from '../src/host/processor-artifacts.ts';
import { buildCold } from '../src/cpu/cold/build.ts';
import { Machine } from '../src/machine.ts';
import { linux } from '../src/firmware/index.ts';
import { doors } from '../src/boot/index.ts';
import * as L from '../src/cpu/state-layout.ts';
import { readImage } from '../src/loaders/read-image.ts';
const [kernel, initrd, doorName='pvh', th] = process.argv.slice(2);
const artifacts = { ...loadProcessorArtifacts(), ...buildCold({ }) };
const image = readImage(readFileSync(kernel));
await image.prepare();
for (const compileAfter of th.split(',')) {
const machine = new Machine({ artifacts, memoryBytes: 1024 << 20, profile: linux, compileAfter: +compileAfter||compileAfter });
if (process.env.HOTDUMP) { const { writeFileSync } = await import('node:fs'); globalThis.dump=[]; globalThis.drops=new Map(); { const h=machine.processor.hot; const od=h.onDrop.bind(h); h.onDrop=(b)=>{ if(h.byBlock.has(b)) { const k=b.linear.toString(16)+' '+(machine.ticks/1e7|0); drops.set(k,(drops.get(k)??0)+h.byBlock.get(b).size);} od(b); }; } const h=machine.processor.hot; const o=h.takeOver.bind(h); h.takeOver=(c)=>{ globalThis.dump.push([machine.ticks,c.region.entries.length,...c.region.blocks.map(b=>[b.block.linear.toString(16),b.instructions.length,b.block.records])]); o(c); }; process.on('exit',()=>{ console.log([...drops].sort((a,b)=>b[1]-a[1]).slice(0,40)); })
; process.on('exit',()=>writeFileSync('/tmp/dump.json',JSON.stringify(globalThis.dump))); }
globalThis.TT=undefined; const t0=performance.now(); const c0=process.cpuUsage();
machine.boot(doors.find(d=>d.name===doorName), image, { commandLine: 'console=ttyS0', initrd: readFileSync(initrd), modules: [] });
const t1=performance.now();
while (machine.outcome === undefined) {
  machine.run(5e6);
  if (machine.idle) machine.skipTo(machine.idleUntil() ?? machine.ticks + 1e9);
}
const t2=performance.now(); const c=process.cpuUsage(c0);
const view = new DataView(machine.processor.wasm.buffer);
console.log(compileAfter, 'entry', (t1-t0)|0, 'run', (t2-t1)|0, 'cpu', (c.user/1000)|0, (c.system/1000)|0, 'hotcalls', view.getBigUint64(0x1390,true), 'hotM', Number(view.getBigUint64(0x13a0,true))/1e6|0, 'cold leaves', view.getBigUint64(0x1398,true), JSON.stringify(machine.processor.hot.statistics), JSON.stringify(globalThis.TT), machine.ticks, machine.outcome.reason);

if (process.env.COLDPROF) {
  const rc=(r)=>view.getUint32(L.RAM+0x20000000+4*((r-L.RECORDS)/48),true);
  const pr=machine.processor, hot=pr.hot; let all=0; const by=[]; const inB=new Set();
  for (const b of pr.blocks.byRecord.values()) { let n=0; for(let k=0;k<b.records;k++) n+=rc(b.record+48*k); const e=L.BLOCK_INDEX + (((b.physical ^ (b.physical >>> 15)) & (L.BLOCK_ENTRIES - 1)) << 5);
    by.push([n,b.linear.toString(16),b.records,'first',rc(b.record),'lookups',view.getUint32(e+L.BLOCK_RECORD,true)===b.record?view.getUint32(e+L.BLOCK_COUNT,true):-1,hot.isCompiled(b)?'ENTRY':'', hot.byBlock.get(b)?.size??0,'losses',hot.losses.get(b.physical)??0]); }
  for (let r=L.RECORDS;r<pr.decoder.cursor;r+=48) all+=rc(r);
  by.sort((a,b)=>b[0]-a[0]); const s=by.reduce((t,[n])=>t+n,0);
  console.log('cold all',all,'in live blocks',s, 'entry blocks', by.filter(x=>x[7]==='ENTRY').reduce((t,[n])=>t+n,0), 'in region nonentry', by.filter(x=>x[7]!=='ENTRY'&&x[8]>0).reduce((t,[n])=>t+n,0), 'losses>=8', by.filter(x=>x[10]>=8).reduce((t,[n])=>t+n,0));
  for (const x of by.slice(0,50)) console.log(...x);
}
}
