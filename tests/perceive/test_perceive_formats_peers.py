"""Our files in the hands of libraries that others wrote: pycocotools 2.0.11 and bvh 0.3 (PyPI)."""

import contextlib
import io

import numpy as np
import pytest
from landmark_samples import dancer, two_dancers

from pomona.perceive.formats import write_bvh, write_coco
from pomona.perceive.formats.wholebody import whole_body

pytestmark = pytest.mark.peers


def test_pycocotools_finds_every_point_and_scores_it_perfect(tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    (path,) = write_coco(two_dancers(), tmp_path / "c.json")
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(path))
        found = truth.loadRes(
            [
                {
                    "image_id": a["image_id"],
                    "category_id": 1,
                    "keypoints": a["keypoints"],
                    "score": a["score"],
                }
                for a in truth.loadAnns(truth.getAnnIds())
            ]
        )
        result = evaluation.COCOeval(truth, found, "keypoints")
        result.evaluate()
        result.accumulate()
        result.summarize()
    assert result.stats[0] == pytest.approx(1)
    people = [record for seen in two_dancers() for record in seen]
    for annotation, record in zip(truth.loadAnns(truth.getAnnIds()), people, strict=True):
        points = np.reshape(annotation["keypoints"], (17, 3))
        labelled = points[:, 2] > 0
        np.testing.assert_allclose(points[labelled, :2], whole_body(record)[:17][labelled, :2], atol=1e-3)


def test_bvh_reads_the_hierarchy_and_the_frames(tmp_path):
    bvh = pytest.importorskip("bvh")
    (path,) = write_bvh(dancer(5), tmp_path / "d.bvh")
    tree = bvh.Bvh(path.read_text())
    assert tree.nframes == 5
    assert tree.frame_time == pytest.approx(1 / 30)
    assert tree.joint_parent("LeftHand").name == "LeftForeArm"
    assert len(tree.get_joints()) == len(set(tree.get_joints_names()))
    assert len(tree.frame_joint_channels(4, "RightLeg", ["Zrotation", "Xrotation", "Yrotation"])) == 3
