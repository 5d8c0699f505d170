import { readFileSync, writeFileSync } from 'node:fs';
import { loadProcessorArtifacts } from '../src/host/processor-artifacts.ts';
import { buildCold } from '../src/cpu/cold/build.ts';
import { Machine } from '../src/machine.ts';
import { linux } from '../src/firmware/index.ts';
import { doors } from '../src/boot/index.ts';
import { readImage } from '../src/loaders/read-image.ts';
import * as L from '../src/cpu/state-layout.ts';
import { RecordReader } from '../src/cpu/hot/records.ts';
const [kernel, initrd, doorName='pvh'] = process.argv.slice(2);
const artifacts = { ...loadProcessorArtifacts(), ...buildCold({ countHandlers: true }) };
const image = readImage(readFileSync(kernel));
await image.prepare();
const machine = new Machine({ artifacts, memoryBytes: 1024 << 20, profile: linux, compileAfter: 'never' });
machine.boot(doors.find(d=>d.name===doorName), image, { commandLine: 'console=ttyS0', initrd: readFileSync(initrd), modules: [] });
while (machine.outcome === undefined) {
  machine.run(1e8);
  if (machine.idle) machine.skipTo(machine.idleUntil() ?? machine.ticks + 1e9);
}
const view = new DataView(machine.processor.wasm.buffer);
const reader = new RecordReader(machine.processor.wasm, artifacts);
const isHelper = (name) => { try { const s = reader.shapeOf(artifacts.names.indexOf(name)); return undefined; } catch { return undefined; } };
const { families } = await import('../src/cpu/isa/index.ts');
const { parseShapeKey } = await import('../src/cpu/isa/shape-key.ts');
const { Lifter } = await import('../src/cpu/ir/lifter.ts');
const defs = new Map(families.flatMap((f) => Object.entries(f)));
let helperTotal=0, total=0; const hs=[];
artifacts.names.forEach((name,i)=>{
  const n = Number(view.getBigUint64(L.PROFILE + 8*i, true)); total += n;
  const p = parseShapeKey(name); const d = defs.get(p.name);
  if (!d) { if (n) hs.push([n,'PSEUDO '+name]); return; }
  const l = new Lifter(p.operands, p.long); d(l);
  const has = (list)=>list.some(s=>s.kind==='helper'||(s.kind==='if'&&(has(s.then)||has(s.else))));
  if (has(l.statements)) { helperTotal+=n; if(n) hs.push([n,name]); }
});
hs.sort((a,b)=>b[0]-a[0]);
console.log('total',total,'helpers',helperTotal);
for (const [n,name] of hs.slice(0,45)) console.log(n,name);

// per record counts
const blocks=[...machine.processor.blocks.byRecord.values()];
const rc=(r)=>view.getUint32(L.HOT_FUNCTIONS+4*((r-L.RECORDS)/48),true);
let all=0, insns=0; const hist=[]; let bl=[];
let seen=0;
for (let r=L.RECORDS;r<machine.processor.decoder.cursor;r+=48){ const c=rc(r); seen+=c; if(c>0) hist.push(c);}    
hist.sort((a,b)=>b-a);
console.log('records',hist.length,'sum',seen, 'blocks',blocks.length);
let cum=0; let i=0;
for (const th of [1e7,3e6,1e6,3e5,1e5,3e4,1e4,3000,1000,500,300,100]) { while(i<hist.length&&hist[i]>=th) cum+=hist[i++]; console.log('>=',th,'instrs',i,'share',(cum/seen).toFixed(4)); }
for (const b of blocks) { let n=0; for(let k=0;k<b.records;k++) n+=rc(b.record+48*k); bl.push([n,b]); }
bl.sort((a,b)=>b[0]-a[0]);
const { readKallsyms } = await import('../src/probe/index.ts').catch(()=>({}));
for (const [n,b] of bl.slice(0,60)) console.log(n, b.linear.toString(16), b.records, rc(b.record));
writeFileSync('/tmp/blocks.json', JSON.stringify(bl.map(([n,b])=>[n,b.linear.toString(16),b.physical,b.records,rc(b.record)])));
