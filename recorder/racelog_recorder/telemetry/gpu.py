"""GPUs behind one small protocol: NVML where NVIDIA's driver is, nothing invented where it is not."""

from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct

from racelog.events import GpuSamples
from racelog_recorder.journal.samples import SampleColumns

MIB = 1 << 20


class GpuReading(Struct, frozen=True):
    """One reading of one GPU; None is what the driver did not tell."""

    util_pct: float | None = None
    mem_used_mib: float | None = None
    mem_total_mib: float | None = None
    power_w: float | None = None
    temp_c: float | None = None
    sm_clock_mhz: float | None = None
    energy_j: float | None = None


class GpuNames(Protocol):
    """Which GPU it is."""

    @property
    def source(self) -> str:
        """What reads it."""
        ...

    @property
    def device(self) -> int:
        """Its number there."""
        ...

    @property
    def name(self) -> str:
        """Its maker's name."""
        ...


class GpuSource(GpuNames, Protocol):
    """One GPU that can be read."""

    def read(self) -> GpuReading:
        """Return the present reading; never raises for a value the driver refuses."""
        ...


class NvmlGpu:
    """One NVIDIA GPU through NVML, the library behind nvidia-smi."""

    source = "nvml"

    def __init__(self, nvml: Any, device: int) -> None:
        self._nvml = nvml
        self._handle = nvml.nvmlDeviceGetHandleByIndex(device)
        self.device = device
        name = nvml.nvmlDeviceGetName(self._handle)
        self.name = name.decode() if isinstance(name, bytes) else str(name)

    def read(self) -> GpuReading:
        """Return the present reading; units of NVML (mW, mJ, bytes) become those of the log."""
        nvml, handle = self._nvml, self._handle
        memory = self._ask(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
        utilisation = self._ask(lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
        power_mw = self._ask(lambda: nvml.nvmlDeviceGetPowerUsage(handle))
        energy_mj = self._ask(lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
        return GpuReading(
            util_pct=None if utilisation is None else float(utilisation.gpu),
            mem_used_mib=None if memory is None else memory.used / MIB,
            mem_total_mib=None if memory is None else memory.total / MIB,
            power_w=None if power_mw is None else power_mw / 1000,
            temp_c=self._ask(lambda: float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))),
            sm_clock_mhz=self._ask(lambda: float(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM))),
            energy_j=None if energy_mj is None else energy_mj / 1000,
        )

    def _ask(self, question: Callable[[], Any]) -> Any:
        """Return the driver's answer, or None where it has none for this GPU."""
        try:
            return question()
        except self._nvml.NVMLError:
            return None


def open_gpus() -> tuple[list[GpuSource], str]:
    """Return every GPU this machine lets us read, and what it does not let us read and why (empty: nothing)."""
    import pynvml  # noqa: PLC0415 - loaded in the telemetry process only

    gpus: list[GpuSource] = []
    refused: list[str] = []
    try:
        pynvml.nvmlInit()
        count = pynvml.nvmlDeviceGetCount()
    except pynvml.NVMLError as error:
        return [], f"no GPU samples: {error}"
    for device in range(count):
        try:
            gpus.append(NvmlGpu(pynvml, device))
        except pynvml.NVMLError as error:  # one lost GPU does not hide the others
            refused.append(f"no samples of GPU {device}: {error}")
    return gpus, "; ".join(refused) if count else "no GPU samples: NVML sees no GPU"


class GpuColumns(SampleColumns[GpuReading]):
    """Gathers readings of one GPU into a `GpuSamples` event."""

    def __init__(self, gpu: GpuNames) -> None:
        super().__init__()
        self._gpu = gpu

    def take(self) -> GpuSamples:
        """Return what was gathered and start anew; there must be at least one reading.

        Three decimals are below what any of these sensors resolves.
        """
        t, d, columns = self._taken(decimals=3)
        gpu = self._gpu
        return GpuSamples(t=t, source=gpu.source, device=gpu.device, name=gpu.name, d=d, **columns)
