"""GPU readings through a scripted NVML: units, refusals, and what is said where there is none."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from racelog.events import GpuSamples
from racelog_recorder.telemetry.gpu import GpuColumns, GpuReading, NvmlGpu, open_gpus


class NVMLError(Exception):
    """What NVML raises."""


def scripted(*, gpus: int = 1, refuses: tuple[str, ...] = (), broken: bool = False) -> Any:
    """Return a module that answers as ``pynvml`` does, refusing the calls in ``refuses``."""
    module: Any = ModuleType("pynvml")
    module.NVMLError, module.NVML_TEMPERATURE_GPU, module.NVML_CLOCK_SM = NVMLError, 0, 1

    def init() -> None:
        if broken:
            raise NVMLError("NVML Shared Library Not Found")

    answers = {
        "nvmlDeviceGetMemoryInfo": SimpleNamespace(used=3 << 20, total=8 << 20),
        "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=42),
        "nvmlDeviceGetPowerUsage": 70_500,
        "nvmlDeviceGetTotalEnergyConsumption": 1_500,
        "nvmlDeviceGetTemperature": 61,
        "nvmlDeviceGetClockInfo": 1_980,
        "nvmlDeviceGetName": b"Scripted GPU",
        "nvmlDeviceGetHandleByIndex": object(),
    }

    def answering(name: str) -> Any:
        def call(*_: object) -> Any:
            if name in refuses:
                raise NVMLError("Not Supported")
            return answers[name]

        return call

    module.nvmlInit, module.nvmlDeviceGetCount = init, lambda: gpus
    for name in answers:
        setattr(module, name, answering(name))
    return module


def test_a_reading_is_in_the_units_of_the_log() -> None:
    assert NvmlGpu(scripted(), 0).read() == GpuReading(
        util_pct=42.0,
        mem_used_mib=3.0,
        mem_total_mib=8.0,
        power_w=70.5,
        temp_c=61.0,
        sm_clock_mhz=1980.0,
        energy_j=1.5,
    )


def test_what_the_driver_refuses_is_none_and_never_zero() -> None:
    reading = NvmlGpu(scripted(refuses=("nvmlDeviceGetPowerUsage", "nvmlDeviceGetMemoryInfo")), 0).read()

    assert (reading.power_w, reading.mem_used_mib, reading.mem_total_mib) == (None, None, None)
    assert reading.util_pct == 42.0


def test_every_gpu_is_opened_by_number_and_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", scripted(gpus=2))
    gpus, why_not = open_gpus()

    assert [(gpu.source, gpu.device, gpu.name) for gpu in gpus] == [
        ("nvml", 0, "Scripted GPU"),
        ("nvml", 1, "Scripted GPU"),
    ]
    assert why_not == ""


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (scripted(broken=True), "no GPU samples: NVML Shared Library Not Found"),
        (scripted(gpus=0), "no GPU samples: NVML sees no GPU"),
    ],
)
def test_without_a_gpu_there_is_a_reason_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, module: Any, why: str
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", module)

    assert open_gpus() == ([], why)


def test_a_gpu_that_is_lost_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    module = scripted(gpus=2)
    named = module.nvmlDeviceGetHandleByIndex

    def handle(device: int) -> object:
        if device == 0:
            raise NVMLError("GPU is lost")
        return named(device)

    module.nvmlDeviceGetHandleByIndex = handle
    monkeypatch.setitem(sys.modules, "pynvml", module)
    gpus, why_not = open_gpus()

    assert ([gpu.device for gpu in gpus], why_not) == ([1], "no samples of GPU 0: GPU is lost")


def test_readings_become_one_event_of_columns() -> None:
    columns = GpuColumns(NvmlGpu(scripted(), 0))
    columns.add(100, GpuReading(util_pct=1.0))
    columns.add(250, GpuReading(util_pct=None, power_w=70.12345))

    assert columns.take() == GpuSamples(
        t=100, source="nvml", device=0, name="Scripted GPU", d=[0, 150], util_pct=[1.0, None], power_w=[None, 70.123],
        mem_used_mib=[None, None], mem_total_mib=[None, None], temp_c=[None, None], sm_clock_mhz=[None, None],
        energy_j=[None, None],
    )  # fmt: skip
    assert len(columns) == 0
