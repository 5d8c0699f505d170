// The lines that a boot's time is put under, in their order, with a budget for each, in seconds.
//
// Until the first guest instruction there is half a second. The whole is half of what QEMU with OVMF took for Debian's
// 6.1 cloud kernel when the budgets were made (4.9 s): 2.45 s.

export const startUp = {
  npm: { title: 'npm run and the check of the build', budget: 0.17 },
  node: { title: 'Node, before any module', budget: 0.06 },
  modules: { title: "loading the command's modules", budget: 0.06 },
  iced: { title: 'iced-x86', budget: 0.05 },
  own: { title: "compiling the processor's own WebAssembly", budget: 0.04 },
  unpack: { title: 'reading the image, unpacking its payload', budget: 0.07 },
  garbage: { title: "V8's garbage collector", budget: 0.01 },
  rest: { title: 'laying out the machine, everything else', budget: 0.04 },
};

export const whole = {
  start: { title: 'until the first guest instruction', budget: 0.5 },
  decode: { title: 'decoding (iced-x86, records, blocks)', budget: 0.25 },
  cold: { title: 'cold tier', budget: 0.5 },
  generate: { title: 'JIT generation', budget: 0.2 },
  compile: { title: "V8's compiling of it, where the guest waits", budget: 0.1 },
  hot: { title: 'hot tier', budget: 0.45 },
  core: { title: 'slow paths: core (walks, strings, faults, system)', budget: 0.2 },
  loop: { title: "slow paths: the processor's JavaScript", budget: 0.05 },
  devices: { title: 'devices', budget: 0.02 },
  firmware: { title: 'EFI firmware', budget: 0.02 },
  command: { title: 'probes, console, command', budget: 0.03 },
  garbage: { title: "V8's garbage collector", budget: 0.05 },
  rest: { title: 'Node and V8 themselves, everything else', budget: 0.08 },
};
