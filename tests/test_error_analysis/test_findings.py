"""What an audit says, as text and as JSON."""

import json

import numpy as np
import pytest

from error_analysis.auditing.audit import audit
from winograd import Transform, parse_points, toom_cook

F43 = toom_cook(4, 3, parse_points("0, 1, -1, 2, -2, inf"))
F63 = toom_cook(6, 3, parse_points("0, 1, -1, 2, -2, 1/2, -1/2, inf"))


def test_doubt_is_reported():
    AT, G, BT = F43.matrices("float64")
    found = audit(AT, G * (1 + np.pi * 1e-9), BT, trials=0)
    assert not found.is_convolution and found.doubtful
    assert "in doubt" in str(found)
    assert max(abs(float(w.off)) for w in found.wrong) < 1e-7  # 1e-9 times entries up to 24


def test_the_record():
    found = audit(*F63.matrices("float32"), trials=20)
    record = json.loads(found.to_json())
    assert record["is_convolution"] and record["points"] == [str(p) for p in F63.points]
    assert Transform.from_json(json.dumps(record["transform"])) == F63
    assert record["readings"]["G"][1][0] == {
        "given": "-0.22222222", "value": "-2/9", "how": "float32", "clear": True,
        "margin": record["readings"]["G"][1][0]["margin"],
    }
    assert record["merits"]["products"] == 64 and set(record["ratio"]) == {"value", "low", "high"}
    with pytest.raises(AttributeError):
        found.points = ()


def test_the_text_of_an_audit():
    lines = str(audit(*F43.matrices("float32"), trials=20)).splitlines()
    assert lines[0] == "F(4, 3), exactly: all 72 coefficients are right"
    assert lines[1] == "  read      78 entries: 66 exact, 12 rounded to float32"
    assert "0.16666667 as 1/6 (float32)" in lines[2]
    assert "  points    0, 1, -1, 2, -2, inf" in lines
    assert "  made as   toom_cook(4, 3, [0, 1, -1, 2, -2, inf])" in lines
    assert lines[-1].startswith("  ratio     ") and "times the error of the best published points" in lines[-1]


def test_many_findings_are_cut_short():
    found = audit(F63.AT, 2 * F63.G, F63.BT, trials=0)
    text = str(found)
    assert len(found.wrong) > 6 and f"and {len(found.wrong) - 6} more" in text
    assert len(text.splitlines()) < 20
