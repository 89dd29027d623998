import type { Wheel } from './wheel.ts';

/** A wheel of NVIDIA's libraries, and for nvcc the assembler and device library that XLA looks for. */
function nvidiaWheel(
  name: string,
  version: string,
  glibc: '2_12' | '2_17' | '2_27',
  bytes: number,
  keptBytes: number,
  sha256: string,
): Wheel {
  return {
    project: `nvidia-${name}-cu12`,
    version,
    platform: `manylinux_${glibc}_x86_64`,
    sha256,
    bytes,
    keptBytes,
    keep: ['nvidia/*/lib/', 'nvidia/*/bin/', 'nvidia/*/nvvm/'],
  };
}

/**
 * The newest of each library that `tensorflow[and-cuda]==2.21.0` allowed when this was pinned, as
 * `pip install --dry-run --report` resolved it. By name: version, least C library, bytes, bytes kept,
 * sha256.
 */
// biome-ignore format: a table, one wheel a line
export const CUDA_WHEELS: readonly Wheel[] = [
  nvidiaWheel('cublas', '12.9.3.13', '2_27', 581_217_458, 855_100_000, 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72'),
  nvidiaWheel('cuda-cupti', '12.8.90', '2_17', 10_248_621, 41_400_000, 'ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182'),
  nvidiaWheel('cuda-nvcc', '12.9.86', '2_12', 40_546_229, 98_200_000, '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0'),
  nvidiaWheel('cuda-nvrtc', '12.9.86', '2_12', 89_568_129, 227_500_000, '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4'),
  nvidiaWheel('cuda-runtime', '12.9.79', '2_17', 3_493_179, 5_400_000, '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3'),
  nvidiaWheel('cudnn', '9.28.0.42', '2_27', 716_538_495, 1_162_500_000, '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375'),
  nvidiaWheel('cufft', '11.4.1.4', '2_17', 200_877_592, 293_700_000, 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28'),
  nvidiaWheel('curand', '10.3.10.19', '2_27', 68_295_626, 167_000_000, '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e'),
  nvidiaWheel('cusolver', '11.7.5.82', '2_27', 338_117_415, 495_000_000, '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88'),
  nvidiaWheel('cusparse', '12.5.10.65', '2_17', 366_465_088, 486_600_000, '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78'),
  nvidiaWheel('nccl', '2.32.3', '2_27', 351_526_311, 489_700_000, 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c'),
  nvidiaWheel('nvjitlink', '12.9.86', '2_12', 39_748_338, 96_000_000, 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9'),
];
