"""Language codes in a stream's tags, converted for containers that hold codes of three letters only."""

from __future__ import annotations

#: ISO 639-1 codes, each followed by its ISO 639-2/T code.
_TWO_TO_THREE = (
    "aaaar ababk aeave afafr akaka amamh anarg arara asasm avava ayaym azaze babak bebel bgbul bhbih "
    "bibis bmbam bnben bobod brbre bsbos cacat ceche chcha cocos crcre csces cuchu cvchv cycym dadan "
    "dedeu dvdiv dzdzo eeewe elell eneng eoepo esspa etest eueus fafas ffful fifin fjfij fofao frfra "
    "fyfry gagle gdgla glglg gngrn guguj gvglv hahau heheb hihin hohmo hrhrv hthat huhun hyhye hzher "
    "iaina idind ieile igibo iiiii ikipk ioido isisl itita iuiku jajpn jvjav kakat kgkon kikik kjkua "
    "kkkaz klkal kmkhm knkan kokor krkau kskas kukur kvkom kwcor kykir lalat lbltz lglug lilim lnlin "
    "lolao ltlit lulub lvlav mgmlg mhmah mimri mkmkd mlmal mnmon mrmar msmsa mtmlt mymya nanau nbnob "
    "ndnde nenep ngndo nlnld nnnno nonor nrnbl nvnav nynya ococi ojoji omorm orori ososs papan pipli "
    "plpol pspus ptpor quque rmroh rnrun roron rurus rwkin sasan scsrd sdsnd sesme sgsag sisin skslk "
    "slslv smsmo snsna sosom sqsqi srsrp ssssw stsot susun svswe swswa tatam tetel tgtgk ththa titir "
    "tktuk tltgl tntsn toton trtur tstso tttat twtwi tytah uguig ukukr ururd uzuzb veven vivie vovol "
    "wawln wowol xhxho yiyid yoyor zazha zhzho zuzul"
)
_CODES = {entry[:2]: entry[2:] for entry in _TWO_TO_THREE.split()}


def three_letter_code(language: str | None) -> str | None:
    """The ISO 639-2 code of a language given as such a code (``deu``, ``ger``), as two letters (``de``) or
    with a region (``de-CH``, BCP 47); None for anything else."""
    code = (language or "").replace("_", "-").partition("-")[0].lower()
    code = _CODES.get(code, code)
    return code if len(code) == 3 and code.isascii() and code.isalpha() else None
