/**
 * Where everything of the processor lives in the one linear memory: byte addresses, shared by the TypeScript side and
 * the AssemblyScript core (src/cpu/core), hence plain integer constants and nothing else in this file.
 *
 *   0x0000_1000  architectural state         0x0010_0000  bitmap of translated bytes (1 bit = 32 bytes of RAM)
 *   0x0000_2000  scratch, core's static data  0x00d0_0000  one byte a RAM page: it holds translated code, is watched
 *   0x0001_0000  jump cache and TLBs          0x00dc_0000  one byte a RAM page: page was written (dirty log)
 *   0x0100_0000  instruction records          0x0400_0000  block index
 *   0x0440_0000  hot functions by record      0x04a0_0000  bitmap of watched bytes (1 bit = 64 bytes of RAM)
 *   0x0500_0000  guest RAM
 *
 * What this file, the core and the tiers call a physical address of RAM is its place: how many bytes of RAM lie below it,
 * less than RAM_BYTES. Where all RAM lies below 4 GiB, that is the guest-physical address itself; placeOf in
 * core/memory/physical.ts makes it of one that the guest names, and src/memory/ram-map.ts does outside the core.
 */

// General registers, u64 each, in encoding order; ZERO always reads 0 (an absent base or index).
export const RAX = 0x1000;
export const RCX = 0x1008;
export const RDX = 0x1010;
export const RBX = 0x1018;
export const RSP = 0x1020;
export const RBP = 0x1028;
export const RSI = 0x1030;
export const RDI = 0x1038;
export const R8 = 0x1040;
export const R11 = 0x1058;
export const ZERO = 0x1080;
export const RIP = 0x1088; // exact only outside the dispatch loop and in helpers that say so

// Arithmetic flags, lazily: FLAGS_RESULT (i64) is the result sign-extended to 64 bits, FLAGS_AUX (u64) the rest:
//   CF = AUX bit 63; OF = AUX bit 63 ^ bit 62; AF = AUX bit 3;
//   ZF = RESULT == 0; SF = RESULT bit 63 ^ AUX bit 0; PF = even parity of (RESULT bits 7:0 ^ AUX bits 15:8).
export const FLAGS_RESULT = 0x1090;
export const FLAGS_AUX = 0x1098;
// While control goes from one hot function to the next the flags may be pending (ir/flag-kinds.ts): FLAGS_RESULT and
// FLAGS_AUX then hold the kept values `result` and `a`.
export const PENDING_KIND = 0x1374; // u32: 0: FLAGS_RESULT and FLAGS_AUX are what they say; always so outside hot code
export const PENDING_B = 0x1378; // u64: the kept value `b`
export const FLAGS_SYSTEM = 0x10a0; // u64: every other RFLAGS bit (TF IF DF IOPL NT RF VM AC VIF VIP ID), bit 1 set

// Segment registers, 32 bytes each: selector u32 @0, attributes u32 @4, base u64 @8, limit u32 @16 (bytes - 1, expanded).
// attributes: access byte in bits 0-7 (type, S, DPL, P), AVL L D/B G in bits 12-15; 0 = null segment (not usable).
export const SEGMENT_BYTES = 32;
export const SEG_ES = 0x1100;
export const SEG_CS = 0x1120;
export const SEG_SS = 0x1140;
export const SEG_DS = 0x1160;
export const SEG_FS = 0x1180;
export const SEG_GS = 0x11a0;
export const SEG_LDTR = 0x11c0;
export const SEG_TR = 0x11e0;
export const SEGMENT_SELECTOR = 0;
export const SEGMENT_ATTRIBUTES = 4;
export const SEGMENT_BASE = 8;
export const SEGMENT_LIMIT = 16;

export const GDTR_BASE = 0x1200; // u64
export const GDTR_LIMIT = 0x1208; // u32
export const IDTR_BASE = 0x1210; // u64
export const IDTR_LIMIT = 0x1218; // u32
export const CR0 = 0x1220; // u64 each
export const CR2 = 0x1228;
export const CR3 = 0x1230;
export const CR4 = 0x1238;
export const EFER = 0x1240;
export const DR0 = 0x1250; // DR0-DR7, u64 each
export const DR6 = 0x1280;
export const DR7 = 0x1288;

// MSRs that belong to the processor, u64 each.
export const MSR_STAR = 0x1290;
export const MSR_LSTAR = 0x1298;
export const MSR_CSTAR = 0x12a0;
export const MSR_SFMASK = 0x12a8;
export const MSR_KERNEL_GS_BASE = 0x12b0;
export const MSR_SYSENTER_CS = 0x12b8;
export const MSR_SYSENTER_ESP = 0x12c0;
export const MSR_SYSENTER_EIP = 0x12c8;
export const MSR_TSC_AUX = 0x12d0;
export const MSR_PAT = 0x12d8;
export const MSR_MISC_ENABLE = 0x12e0;
export const TSC_OFFSET = 0x12e8; // i64, added to ticks; WRMSR TSC and TSC_ADJUST change it
export const MSR_TSC_ADJUST = 0x12f0;

// Execution mode and control, u32 each unless said otherwise.
export const CPL = 0x1300;
export const MODE = 0x1304; // bits below; changed only by updateMode() of the core
export const MODE_LONG = 1; // EFER.LMA and CS.L: 64-bit code
export const MODE_CODE32 = 2; // CS.D (in legacy or compatibility mode)
export const MODE_PAGING = 4;
export const MODE_USER = 8; // CPL 3
export const MODE_LMA = 16; // long mode active (64-bit or compatibility)
export const MODE_STACK32 = 32; // SS.B
export const MODE_TASK_SWITCHED = 128; // CR0.TS: x87, MMX and SSE instructions raise #NM
export const MODE_EMULATE = 256; // CR0.EM: x87 instructions raise #NM, MMX and SSE #UD
export const MODE_NO_FXSR = 512; // CR4.OSFXSR clear: SSE instructions raise #UD
export const MODE_SEGMENTED = 64; // legacy mode with a base other than 0 in CS, DS, ES or SS
export const TLB_DATA = 0x1308; // address of the data TLB of the current CPL (TLB_SUPERVISOR or TLB_USER)
export const TLB_FETCH = 0x130c;
export const TLB_MASK = 0x1310; // entries - 1, for all TLBs; 4095 by default, 15 in tests
export const FAULT_PENDING = 0x1314; // 1 after raise(); cleared by deliverException()
export const FAULT_VECTOR = 0x1318;
export const FAULT_ERROR = 0x131c;
export const FAULT_HAS_ERROR = 0x1320;
export const FAULT_ADDRESS = 0x1328; // u64, becomes CR2 when a #PF is delivered
export const BUDGET = 0x1330; // i32: instructions left in this run, after the current one was charged
export const LEAVE_REASON = 0x1334; // why a helper returned STATUS_LEAVE
export const INTERRUPT_LINE = 0x1338; // 1: the local APIC has a vector to deliver
export const STOP_REQUESTED = 0x133c; // 1: the host wants control at the next boundary
export const RUN_END = 0x1340; // f64: tick at which this run ends; now = RUN_END - BUDGET
export const SHADOW_TICK = 0x1348; // f64: STI or MOV SS blocks interrupts while now == SHADOW_TICK
export const MAPPING_EPOCH = 0x1350; // u32: bumped by every change of mapping (TLB flush, INVLPG, paging bits)
export const RAM_BYTES = 0x1354; // u32: guest RAM, bytes
export const RAM_LOW = 0x1380; // u32: so many of them lie from guest-physical 0 on, the others from 4 GiB on
export const HYPERCALL = 0x1384; // u32: which instruction calls a hypervisor: HYPERCALL_NONE, _VMCALL or _VMMCALL
export const GATE_NUMBER = 0x1358; // u32: service number of the firmware gate that was executed
export const LEAVE_RECORD = 0x1360; // u32: the record a pseudo-record stopped at
export const TRAP_HELD = 0x1368; // 1: the instruction that has just retired holds back its single-step trap
export const HOT_EPOCH = 0x136c; // u32: bumped whenever hot code is dropped
export const CURRENT_RECORD = 0x1388; // u32: the record being executed, for an observing processor; 0: the instruction at RIP
export const PLACES = 0x138c; // u32: PLACES + (record >>> PLACE_SHIFT) is a record's place (execution-counts.ts); 0: nobody counts
export const PLACE_SHIFT = 2;
export const TELL_MSRS = 0x13a0; // u32: 1: the host wants to know of every RDMSR and WRMSR
export const RESUME_FLAG = 0x135c; // u32: RF semantics for one instruction (reserved)

// FXSAVE image (Intel SDM volume 1, 10.5.1), 512 bytes, 64-byte aligned: FCW @0, FSW @2, abridged FTW @4, FOP @6,
// FIP @8, FDP @16, MXCSR @24, MXCSR_MASK @28, ST0-7/MM0-7 @32 (16 bytes each), XMM0-15 @160.
export const FX = 0x1400;
export const FX_MXCSR = 0x1418;
export const FX_ST = 0x1420; // physical x87 registers are kept in ST (top-relative) order, as FXSAVE stores them
export const XMM = 0x14a0;

export const EXPECTED_ADDENDS = 0x1600; // u32 each: what hot code expects TLB_ADDEND to be, by base register; a hint
export const JUMP_EPOCH = 0x1650; // u32: bumped when the jump cache may be wrong

export const SCRATCH = 0x2000; // 256 bytes: 128-bit operands of slow paths, MMIO values
export const TLB_LARGE_FILTER = 0x2800; // 256 bytes, bit (linear >> 22) & 2047: a piece of a large page may be in a TLB
export const TLB_LOG_COUNT = 0x2904; // u32: non-global fills since the last flush; above TLB_LOG_MAX the log is incomplete
export const TLB_LOG = 0x3000; // u32 each: addresses of the TLB entries filled non-globally
export const TLB_LOG_MAX = 1024;
export const CORE_STATIC = 0x4000; // static data of the AssemblyScript core, up to 0x10000

// TLBs: direct-mapped by linear address bits 12 and up, TLB_ENTRY bytes an entry.
//   TLB_TAG_READ u64: page address when loads may go straight to RAM, else TLB_INVALID
//   TLB_TAG_WRITE u64: same for stores (dirty bit set, writable, no translated code in the page)
//   TLB_ADDEND u32: (u32 linear) + addend = address in this memory
//   TLB_FLAGS u32: TLB_GLOBAL
export const TLB_ENTRY = 32;
export const TLB_ENTRY_SHIFT = 5;
export const TLB_TAG_READ = 0;
export const TLB_TAG_WRITE = 8;
export const TLB_ADDEND = 16;
export const TLB_FLAGS = 20;
export const TLB_GLOBAL = 1;
export const TLB_WRITABLE = 2; // rights and dirty bit are settled for stores, whether or not the write tag is valid
export const TLB_PAGE_SHIFT = 8; // bits 8-15: log2 of the bytes of the guest's page (12, 21, 22, 30)
export const TLB_PHYSICAL = 24; // u32: guest-physical page address
export const TLB_INVALID = 1; // no page address has bit 0 set
export const TLB_WATCHED = 2; // in TLB_TAG_READ of the data TLBs: the page is watched, so that every access is a slow one
export const TLB_ENTRIES = 4096;
export const TLB_SUPERVISOR = 0x2_0000; // the four stand one behind the other
export const TLB_USER = 0x4_0000;
export const TLB_FETCH_SUPERVISOR = 0x6_0000; // TLB_TAG_READ is the fetch tag
export const TLB_FETCH_USER = 0x8_0000;

// Jump cache: where hot code goes when it ends with a jump, by linear address, as the look-up found it. An entry holds
// until a fetch TLB loses an entry, the mode changes or hot code is dropped: then JUMP_EPOCH differs.
export const JUMP_CACHE = 0x1_0000;
export const JUMP_ENTRY_SHIFT = 4;
export const JUMP_ENTRIES = 1024;
export const JUMP_RIP = 0; // u64
export const JUMP_HOT = 8; // u32: as in HOT_FUNCTIONS
export const JUMP_MADE = 12; // u32: JUMP_EPOCH when it was entered

// Block index: direct-mapped by block start. BLOCK_ENTRY bytes: linear u64 @0, physical u32 @8, mode u32 @12, record u32 @16.
export const BLOCK_INDEX = 0x400_0000;
export const BLOCK_ENTRY = 32;
export const BLOCK_ENTRY_SHIFT = 5;
export const BLOCK_ENTRIES = 131072;
export const BLOCK_LINEAR = 0;
export const BLOCK_PHYSICAL = 8;
export const BLOCK_MODE = 12;
export const BLOCK_RECORD = 16;
export const BLOCK_HOT = 24; // u32: as in HOT_FUNCTIONS, when hot code starts there; else 0
export const BLOCK_COUNT = 20; // u32: entries by look-up; linked branches count in their own REC_OP1

export const CODE_BITMAP = 0x10_0000;
export const CODE_GRANULE_SHIFT = 5; // 32 bytes a bit
export const CODE_PAGES = 0xd0_0000; // u8 a page, bits below; while any is set no write tag of the page is open
export const PAGE_HAS_CODE = 1;
export const PAGE_WATCHED = 2;
export const DIRTY_PAGES = 0xdc_0000; // u8 a page: 1 when the page may have been written

// Instruction records, RECORD_BYTES each, consecutive within a block.
export const RECORDS = 0x100_0000;
export const RECORDS_END = 0x400_0000;
export const RECORD_BYTES = 48;
export const REC_HANDLER = 0; // u16 index of the handler
export const REC_COLD_HANDLER = 2; // u16: the cold handler, when REC_HANDLER is the hot entry
export const REC_OP0 = 4; // u32 address of operand 0's register (of the byte for AH..BH), if it is a register
export const REC_OP1 = 8;
export const REC_BASE = 12; // u32 address of the base register (ZERO; the record's own REC_NEXT_RIP for RIP-relative)
export const REC_INDEX = 16; // u32 address of the index register
export const REC_SCALE = 20; // u8 shift
export const REC_SHIFT = 21; // u8: 64 - address size: 0, 32 or 48; the offset is (x << shift) >>> shift
export const REC_LENGTH = 22; // u8 bytes of the instruction
export const REC_FLAGS = 23; // u8 bits below
export const REC_SEGMENT = 24; // u32 address of the u64 segment base to add (ZERO when flat)
export const REC_DISPLACEMENT = 28; // i32
export const REC_IMMEDIATE = 32; // i64: immediate (sign- or zero-extended as the operation wants it) or branch target
export const REC_NEXT_RIP = 40; // u64 linear address behind the instruction (offset in CS)
export const REC_IS_MEMORY = 1; // the r/m operand is memory
export const REC_STACK_SEGMENT = 2; // a fault on the memory operand is #SS, not #GP
export const REC_REP = 4; // REP or REPE
export const REC_REPNE = 8;
export const REC_ADDRESS32 = 16; // address size 32 (REC_SHIFT 32)
export const REC_LINKABLE = 64; // direct branch within its page: REC_OP0 caches the target's record (0: not yet)

// What a helper with signature (record: i32) => i32 returns to the dispatch loop.
export const STATUS_CONTINUE = 0; // done, next instruction follows
export const STATUS_FAULT = 1; // raise() was called; nothing else is visible; not charged
export const STATUS_JUMP = 2; // done, go on at RIP
export const STATUS_LEAVE = 3; // done and charged, RIP is set; give control to the host, see LEAVE_REASON
export const STATUS_REPEAT = 4; // a REP was cut at the budget: the instruction goes on later
// Only pseudo-records (no instruction, never charged) return these:
export const STATUS_STALE = 5; // the block is gone: look up again
export const STATUS_SKIP = 6; // go on with the next record
export const STATUS_COLD = 8; // hot code left before the instruction at RIP: the cold tier executes it
// Hot code returns STATUS_JUMP, STATUS_COLD, or what a helper said of the instruction whose record is at LEAVE_RECORD.
export const STATUS_HOST = 7; // the host must look at this record (LEAVE_RECORD)

export const LEAVE_HALT = 1;
export const LEAVE_BOUNDARY = 2; // let the host look (interrupt window opened, mode or time changed)
export const LEAVE_GATE = 3;
export const LEAVE_SHUTDOWN = 4; // triple fault
export const LEAVE_HYPERCALL = 5;

// Values of HYPERCALL.
export const HYPERCALL_NONE = 0;
export const HYPERCALL_VMCALL = 1;
export const HYPERCALL_VMMCALL = 2;

// What the dispatch loop returns.
export const EXIT_BUDGET = 0;
export const EXIT_DECODE = 1; // no block for RIP yet; its guest-physical address is at LEAVE_RECORD
export const EXIT_LEAVE = 2; // a helper left: LEAVE_REASON
export const EXIT_RECORD = 3; // a pseudo-record at LEAVE_RECORD wants the host
export const EXIT_HOT = 4; // the block at RIP, with first record LEAVE_RECORD, has been entered HOT_THRESHOLD or HOT_URGENT times

export const HOT_FUNCTIONS = 0x440_0000; // u32 a record: table index << HOT_POSITION_BITS | position in the region
export const HOT_POSITION_BITS = 7;
export const HOT_THRESHOLD = 0x1364; // u32: entries after which a block is hot; 0: never
export const HOT_URGENT = 0x1370; // u32: entries after which a hot block that is still cold code cannot wait any more

export const WATCH_BITMAP = 0x4a0_0000;
export const WATCH_GRANULE_SHIFT = 6; // 64 bytes a bit
// What an access to watched bytes is, as flags.
export const WATCHED_WRITE = 1;
export const WATCHED_IMPLICIT = 2; // by the processor for an instruction or an exception: descriptors, TSS, IDT, frames

export const RAM = 0x500_0000;
