import { random } from './images.js';

/**
 * 3000 bytes like machine code: text that repeats and calls whose relative targets the x86 filter changes, close enough
 * together to reach its ambiguous cases.
 */
export function codeSample(): Uint8Array {
  const below = random(7);
  const bytes = new Uint8Array(3000);
  for (let at = 0; at < bytes.length;) {
    const kind = below(8);
    if (kind < 3) bytes.set([0xe8, below(256), 0x01, 0x00, 0x00].slice(0, bytes.length - at), at);
    else if (kind === 3) bytes.set([0xe9, 0xe8, below(4), 0xff, 0xff].slice(0, bytes.length - at), at);
    else if (kind === 4) bytes.set([0xe8, 0xe8, 0xe9, 0x00, 0xff, 0x00].slice(0, bytes.length - at), at);
    else bytes.set([0x48, 0x89, 0xc7, 0x90, 0x90, 0x90].slice(0, bytes.length - at), at);
    at += 3 + below(9);
  }
  return bytes;
}

/** What the command-line tools made of codeSample(), in base64. */
export const compressed = {
  // lz4 -l -9
  lz4: [
    'AiFMGNcEAADxBkiJx5CQkAAAAADp6AH//wAA6OjpABUAgOj9AQAAAOj+BgAWACcAMQDoPBgAEXAGADKcAQAVAGPo6QD/6KEOAAYvADLo3wEfAB',
    'EBFQA06EwBIABy6egC/0iJxwMAAS0AAAgABw8AWenoA///eQAiYgGoADQC//9GADToPQFuAAKDACNzATkAOOhRAYsAAwcAAT0ASehIAQCpAJLp',
    '6ALo6OnoWgHIAGgA6egA///GAG7wAQAA6CHeAFqVAQDo0xcAOuhBASUAA04BFXZ0AAKEABLUEAAk6FxCAS1oATUAFpCXASUAABsBCDABBJQBEp',
    'lnARW3ZQAn6DBwAHMB6OMBAOjDcgARULoBGooEATDo3wFPAQH/AAMAAQENAAAVACopAUUBJugsZwBB/AHoVToAGG4KAjAA6GUyAR1jMgEEWwEj',
    '6GcbAANrABh8jgAi6HjOABMHsQAo6OnsAAYjAgLpAQIkACbKAV0AIgAA4gEo6NO8AiLoHmEBCksASJDoSQEdAgj0AQwqAALaABlkyQEDhAAEXQ',
    'EPrQAAAwsAIOi4EgESOtoAFlpBARqEJAEBBgAI9AEKSgBI6DgBAK0DJbsBdAEE5wAibgGbAAdCAiEA/9QCA/0AAcgABUYDOOirAWYCD4QCAAwO',
    'AwTkAQ/lAgACGAAGBAEFKQAHrAEGPgMERgAk6Ol5AzQA6G8GAwg7AATWAQFlBIHo6ej3AQDo/+IBEg+lAQIyAAGTBAgxAEgA6GoBjgAhlAEdAA',
    'dqAQBuAhDQmQEnlAHaAAEABAYmAA1xAybon8ABFuRkAlvoQgHosVcDLAMBVgE7AOjtFwMCKAMEDQAnHAHlBD/opgENBAAFEAABzwER3AoBFpEJ',
    'BRC90QAmjwGNAwGkACno3ksAJeiLMgMG3QIH8wQjrgHqBQe9AAdWAjLo6OkwBAmMAAG6Ag7/Aijon14BBvkBGwBaASToaxoBAC8FCekFNZDoWS',
    'UCCU0BIP0BxAAGtwMUiQgBAhQCAgMEJ+h8ygAH7wAAGwBGewHo+s8BFsSGBQRvAgGzABeVSwRW6NgB6D4zABPq3QAVor0AJFoBYwYISwAJ8gAP',
    'CwAGB5oAAkoFAQYABXcBGhdeBjDoLwETBAkYAgpDBAVyBSFRAbUHCgIFSuhTAQBXAQqAAAakAxZI8QA1mgEAigACbwQKpQAAEQAW0C8AFLULAA',
    'eVBAJrACryAfgEBEoEA+oHB08FJOjOgAE26FsBvgYk6NhCAAMtAifoDogFA7UBRgDo4gGEBAc1Bgq7AlWQAOhUAakEDJ0BA1ABCscEBD4IFQOA',
    'AiLoHRYBQesB6DsZASpmAfAEUenoAunoFAAo6JvjAgL0BkzofgEAGQMCEQQDdgkTudIAHWRXBAcEBgQdBic+Ab8AAh8BFT9ZASpuAYsFIegYYQ',
    'BUvAEA6ABqAyvo0swISei0AQAkCAmMAgCABTjoJgGOBjcA6ER8AQw/CVbvAegoAUoABeIIATcAAiMCFfOxABFToAAUKfEGRejWAQB/BDbocgE5',
    'AgPsAAnuASTo5xgCE1dCASKhAeUEBnYIFwhMBglrCAwABgjOCFIC/+g/AXIAIejWogAocQHrBBiZDgAHTQADQAsBZAsrAAB+BQPmBzzo0QF1AJ',
    'BIiceQkJAAAAA=',
  ].join(''),
  // xz --check=crc32 --x86 --lzma2=preset=9
  xzX86: [
    '/Td6WFoAAAFpIt42AgEEACEBHACHbtrl4Au3BH5dACQiVOkNGAZXwBwOLwZSlozoLKC1Bj9OhsAwmZbXrSqrFgssZe52ZAMh39DFCrG2a+Lp9/',
    'Unne2vp1HHTdiqAjuEeiSnhXtC9dMXJbj5ab7FUnRr8OBIOoSvmB/y7kx2CqS9DQo+K3TU5IxLhkREDXSuiwO4h/hsZ/zAWrXYP0ZIhlkveG+d',
    'okJmJqyPZ5Tewl7CNF0yXkXWsMdMcyEIsfJff1b+X1TBJnPa1OYJRUD1b9+CApNJbpn8ZhQuq7ZGMPtTiEE1L/FySNVILu/k3LAkLxEKv/9DkA',
    'QrJCNOr2XdwuvdVHkEa/qQWTYdtNayJXpFmskq52QhQy3FfwdsynAPjWdA2mkLyTYLOUARX50RATGzpGrhWKp65WItPp3Ijw1lqoALB0yeZ2Gr',
    'eIY4Sel6EXXaGW7+w2x45eBFpTtMgSA5FfoUxjwZAgQT2Uu9TDqvyisXBhLmuRgQ1Q/ucpayOslpNprr7oB0eRQdL6mK5CifWUUXW97X1VnXu2',
    'C74a99xdA6groJBDZ1jeOuB0cXNZoiT8ct9qR0jcK85yh2N5fptxPazyTcb6PomeAncRtp5dy/TX/eFduEtwg+b5UNG0sG7tySF07tke3l3Rqu',
    'fnWoSlSAJzi2c85ThZcw5ib6FrHGngtiNWhsV7hzq1qGk9ax1fYo9W9HX14RBCRTNJnyke3JewY40wXL7nObLwZyac1vlR7xtuCAZ/N+p7tzlB',
    'dICJQ5lumXJVxchoOUniZD8QB9Do7iBCjBxKtabvmFsj9U+vwYOQPgK8UlvnKGF5n99UtZKd0AHEdWRqqGSbS8goYY8PBWEtAluBJxocbFnaJ4',
    'qW+YopkJMwErdDK1b/PgDH8V5l8dr0CCtACs2j5TD+y2B2jycb/mGtwaiirKyEXfedgh36l5pR51utnYY9zUkCWQzNUhnU42N7i2rsTP7gNdP4',
    'GeiINCo2532uaCMZgIkAFIHA7luONpsMhDxGe3A0+1Nn8t5c4kFf62ue0nUNbQ4q6/IcW13CfTE9b2Zv1dixGK1aXOsc+a+lyxPhw+fJoBEThW',
    'HnDIRPMd+YdiMB8G96VmZ4w+SQ4ZMge19DAB1zNirJzGRqgCSjvNkXotmOysQdYFbX3q7mVvTiNKgsbR62nY6yE3Yqv3rAf553mcvrxsU+RWtT',
    'UpTS34NP1xerEFZOJhT0L9rndsYbslkLwcd0Ci6eVj9ebT46dtXtYuSqvKCpQ/BPOOdjEX8Gg945GtwEkXqR/IUVLzq9J3393ILWG0sQhfPBRo',
    'GT4Kz2wLYPhfNDmUV6Wikh5YywSytyqpnYHWIFHWVYzx4tJjY/I7PEqmr2xpoiSnrOMBcX7o4VHpMfes47RbRYQ+CG7+xI8iz7l+gZ7X+KyfcO',
    'R0BBHmCSCIGui4t33q7XeGmq+lDAXzEgmcvOBGuWEEBSKkwDYbZpcsGxkVbeV1fRQji4bLnpG1G9E2bGNSrhrc7bm/l9ucktL+jU2ba+bzcdHd',
    'leWzG/Zeob/g10gNSaev73Hh9qQzraplVL4AAAAhsH0pAAGWCbgXAABykNXEPjANiwIAAAAAAVla',
  ].join(''),
  // xz --check=crc32 --lzma2=preset=9
  xz: [
    '/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4Au3A25dACQiVOkNGAZXv/4ctwZSlozoLKC1Bq6UHVieF5dHWlsS6gWw+ehBx2aVc1aSE3zWoboVC4',
    'Sh5sTK1qMUwaddNWtElVxX4OxOg7npMLC3IoM4wnsGrPmUuY6003b7vUkBGtpFo18APjR4BeGHHNdwqTMJN9VimTCu9INBxLrPju10JyZ6/vki',
    'HicvaZfqBD47hghT9/jfqIDMtAWmFnYkjL6aVGXHA+inckKSMIskZh6/ESc4EeAGfcveIBRm+awwf8dDiAVKfMfe709SwWZ+fQbi64WBmKWdyo',
    'J1OZKReTvoKK+IVfDW1H+tlvyA9G6/t6xcFF1tDpKjGs005F4qPrOcdahuB9Pb3xvfomVc7vNB0BSkPEXzI4QvCJVfKGUyYuRhxreaHHDBc+La',
    'LEwfrWcGu19sgEkAkOVnVukScF2v7EVo8JMV/bzu4cTn0YwIh17LF3+f+A0mG45uK2xtAcGgf8hS8Ec+zJjjRtZw4QcrUo7VTk3qn/uv625vc+',
    '0Nv/8jVWWvnnqdkxuvbpwCYtc0HXZ3dEhm7c3eAMF8lWYanWVKEvWMCeyQstjOAO8Q2Wbb2DkvM9DY7SMx+wfpLakklXcRy0hu0NZZj0ILBEUT',
    '+2rREDKyG3x+jzbBST0Nijs6fUUTEnpY5tkJNA7etOzkBLnKf2wxfAKqXYT9932co9hUiiCAmTPLN+D/y1MAwnXZ38hH7MVwoATsODRK7trki7',
    'dItY3A3Ks9qzJAngwKPigMVY4VqQcfnEtI2E8+7bwRJ8z7cpMB918/6cMI3MStrP4PdwKARy6jAlzdUKt2SopWALegLUsKOq2n7OkbeSEkyB5k',
    'GR5BUIrQYE2jtxqREBnnzW6547D7sYMfYsl2CWMznZ9goT1GSEgWCYUMeD/PfSnPI801w69h1rlwXWBGc4XPolsxxMa6gk0/wWkqAKQv3cF/Yt',
    '6eLrieNA4ldmtd6W/179SJE1dtwxG5w986BTtfl0c5L3loApSF9iDOw99ppA5bHnpt3v1u4nZQcbVBxVuHrOJaW6ha3fh61MTH9eHAAWtfTxAg',
    'QG8OEPeu89FrHGlZ5AgVqlZ6JlwvUeJmTWx96oC3DAjwHNe/sqAi7/ExKAMGL2owKnwYNCIpNO9d/aoTilYriAcFurP2UGpyBzETh4q5guBuEz',
    'mCAAAAIbB9KQABhge4FwAAiCwzeD4wDYsCAAAAAAFZWg==',
  ].join(''),
  // xz
  xzCrc64: [
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Au3A25dACQiVOkNGAZXv/4ctwZSlozoLKC1Bq6UHVieF5dHWlsS6gWw+ehBx2aVc1aSE3zWoboVC4',
    'Sh5sTK1qMUwaddNWtElVxX4OxOg7npMLC3IoM4wnsGrPmUuY6003b7vUkBGtpFo18APjR4BeGHHNdwqTMJN9VimTCu9INBxLrPju10JyZ6/vki',
    'HicvaZfqBD47hghT9/jfqIDMtAWmFnYkjL6aVGXHA+inckKSMIskZh6/ESc4EeAGfcveIBRm+awwf8dDiAVKfMfe709SwWZ+fQbi64WBmKWdyo',
    'J1OZKReTvoKK+IVfDW1H+tlvyA9G6/t6xcFF1tDpKjGs005F4qPrOcdahuB9Pb3xvfomVc7vNB0BSkPEXzI4QvCJVfKGUyYuRhxreaHHDBc+La',
    'LEwfrWcGu19sgEkAkOVnVukScF2v7EVo8JMV/bzu4cTn0YwIh17LF3+f+A0mG45uK2xtAcGgf8hS8Ec+zJjjRtZw4QcrUo7VTk3qn/uv625vc+',
    '0Nv/8jVWWvnnqdkxuvbpwCYtc0HXZ3dEhm7c3eAMF8lWYanWVKEvWMCeyQstjOAO8Q2Wbb2DkvM9DY7SMx+wfpLakklXcRy0hu0NZZj0ILBEUT',
    '+2rREDKyG3x+jzbBST0Nijs6fUUTEnpY5tkJNA7etOzkBLnKf2wxfAKqXYT9932co9hUiiCAmTPLN+D/y1MAwnXZ38hH7MVwoATsODRK7trki7',
    'dItY3A3Ks9qzJAngwKPigMVY4VqQcfnEtI2E8+7bwRJ8z7cpMB918/6cMI3MStrP4PdwKARy6jAlzdUKt2SopWALegLUsKOq2n7OkbeSEkyB5k',
    'GR5BUIrQYE2jtxqREBnnzW6547D7sYMfYsl2CWMznZ9goT1GSEgWCYUMeD/PfSnPI801w69h1rlwXWBGc4XPolsxxMa6gk0/wWkqAKQv3cF/Yt',
    '6eLrieNA4ldmtd6W/179SJE1dtwxG5w986BTtfl0c5L3loApSF9iDOw99ppA5bHnpt3v1u4nZQcbVBxVuHrOJaW6ha3fh61MTH9eHAAWtfTxAg',
    'QG8OEPeu89FrHGlZ5AgVqlZ6JlwvUeJmTWx96oC3DAjwHNe/sqAi7/ExKAMGL2owKnwYNCIpNO9d/aoTilYriAcFurP2UGpyBzETh4q5guBuEz',
    'mCAAAASAjkZPtgL/MAAYoHuBcAAPPs8Q+xxGf7AgAAAAAEWVo=',
  ].join(''),
  // zstd -19 --no-check
  zstd: [
    'KLUv/WC4Cm0bAAYaTDnw2hSGAxLeQdB4F3i4xewJ8hQDZxbyy+VPF4j807HlrUgCvVimVQ/p2k/8IRGYu4NinGXoqbMTkmQ5AD0APAA/ueYJO3',
    'neJHhzy1pbTdLqp8zOPFcY4Y8g1gKt1mflhZXnnBcO0+htm2HeZs9Tv63lattOp1MSG5km3jQNeJvr6WX1oli1PF5ZksgUDYP04E0h02hhEWwq',
    'EQCLXZA4xJsiXmnDgmGwIXmOMQaPPKmsg4PgWOJD08bMsDMr2gZLQJI6vCJhd7wRyZdt8abNVvbYwRpPqB89eyhDKTvjTSNLI8ruWANZniB9LA',
    'Wr5HhTZ2sYMhFN0zimeDPmAJsjByur4gnl0Nvs4oLVYgUV/GObuGeRAhtD45Dni2+8cgSExXJADU55CnhnPbhkuQDRsXSBHKgRFnY0SY1hDSEQ',
    'AQJRKLU8IQhFJNYhMrogWXYDIBm8TJ4Byw4JwXwEwRjY5c7LlTs14HaM3YBMf7aNcBlDR/U0NgTiofctPHi4IF30mu5WjYlWDclcNMGo2ICPOK',
    'IhOphCmLR4urOUaP5wm4TxvF2yMBHByKeMr4gDiWDZovSYR0EF5bjea6a5/m/ZK4G0z6EuI51s+Dw0VuZuCiUeK4KlPmoTCbZ2CICbh+MGg+UC',
    'TrAC/n+puPa9NFHTybslQoxpF2TgDTXXxo15ISogfAZdaL0XpGPcaYTOGEF4Q5EpQu+V+7LdJsxCTw4tIVWV61zb9RGbbVE8LOIc3AysdMkYlA',
    'HWu9DcdddBweeWWnpAU6tdJQ8yR5wz+Ajs61WqIGaozrJ3ILEoYsi4wCkQODEQ6WApNWhQNewCQX6iQ4NopRX7fGY1hdYLBMIOt0H3L4nEa36Y',
    'l/gaTYEZR8BvqAFBfdDmULJPBSiCyTu+DpniQNHB8HpzPhGVOrTnNCtJt6IBMMA4Ew+nHrzjCOyvZvP+B14o0yXSSzeolYQpMOKQPOaiu3gr3Q',
    '8O4m/XANac7zmXdwbuh3XYBPC7SgUXHTsydXve8DLpakrU4A+6QvUJ0krwPYgDVaBgntiBeAoOm8ycVDRMbXUJD4dnHTSdQMSxRRcDEMEc1re7',
    'mWgnNNz3k85f2iYHlSUBfRHp6MUZA0Y8SBDNMVbixpeXGi/wBgwIkRsDwA5iRx4Ey0IPbBBa7A1Swz+ybRU=',
  ].join(''),
} as const;

export const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
