"""Invented words: names of people, streets, towns and schools. Lists of our own; no real register was read."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GIRLS: Final = _words(
    """Aaliyah Abena Ada Agnes Aisha Alice Alma Amber Amina Anwen Ania Ayesha Beatrix Bethan Blessing Bronwen Carys
    Cerys Chloe Clara Coral Daisy Delia Edith Eira Elin Ellie Elsie Erin Esme Esther Farah Fatima Fern Ffion Freya
    Gwen Hafsa Halina Hannah Hattie Hollie Ife Imani Ines Iris Isla Ivy Jade Jasmine Josie Kasia Keira Khadija
    Lacey Lena Lily Lowri Luna Mabel Maisie Mared Maryam Meera Megan Mina Molly Nadia Nerys Nia Niamh Olive Orla
    Paige Pearl Poppy Priya Rhian Rosa Ruby Sadie Saffron Sana Seren Sian Skye Sunita Tamsin Tegan Thea Wanda
    Willow Yasmin Zainab Zara Zofia"""
)
BOYS: Final = _words(
    """Aaron Abdul Adam Aled Alfie Amir Angus Archie Arlo Arjun Ashton Bartek Ben Blake Bryn Caleb Callum Carwyn
    Charlie Cian Corey Dafydd Danesh Daniel Dawid Declan Dewi Dominik Dylan Eddie Elis Emeka Ethan Evan Felix
    Finlay Frank Gareth George Gethin Gruff Hamza Harri Harvey Hassan Hugo Huw Ibrahim Idris Ieuan Imran Isaac
    Jack Jakub Jamal Jayden Jenson Joel Jude Kai Kofi Kwame Leo Lewis Liam Logan Luca Macsen Marek Mason Milo
    Mohammed Morgan Nathan Noah Oakley Olly Osian Otis Owain Piotr Rafi Ravi Reece Rhodri Riley Rohan Ryan Sam
    Sanjay Sion Stanley Taylor Tobias Tomos Tyler Umar Victor Wil Yusuf Zac Zain"""
)
FAMILIES: Final = _words(
    """Abara Adeyemi Ahmed Akhtar Allott Ansah Appleyard Ashworth Bagshaw Bakare Barraclough Begum Beynon Birtwistle
    Blenkinsop Boateng Bowen Brathwaite Brockbank Cadwallader Calderbank Castell Chaudhry Clegg Coldwell Copley
    Craddock Crosthwaite Dabrowski Dacre Davenhill Dewhurst Dinsdale Dyson Eccles Edwardes Entwistle Fairclough
    Farooq Fearnley Featherstone Fenwick Garside Gaunt Gawthrop Ghosh Goodhall Gledhill Greenhalgh Griffith
    Hallworth Hardcastle Hassan Heckmondwike Helliwell Hepworth Hinchliffe Holdsworth Hussain Ibekwe Iqbal Islam
    Jagger Jankowski Jeavons Kaminski Karim Kaur Kershaw Khatun Kowal Lazenby Leyshon Lightowler Llewelyn
    Lofthouse Lumb Mahmood Makin Mallinson Maudsley Mensah Metcalfe Midgley Mirza Mytton Naylor Nkosi Nuttall
    Nwosu Oduya Ogden Oldroyd Osei Parfitt Parveen Patchett Penhallow Pickersgill Platt Pogson Postlethwaite
    Prosser Quarmby Rahman Ramsbottom Rashid Rawstron Redfearn Rees Ridsdale Rowbotham Sagar Sandhu Saxby
    Schofield Sharma Shuttleworth Sidhu Skelton Slater Sowerby Stansfield Sugden Sutcliffe Tattersall Tempest
    Thackray Thwaite Tordoff Treharne Trevanion Uddin Varley Verma Wadsworth Walmsley Wieczorek Wilberfoss Wojcik
    Woodhead Wrigglesworth Yeadon Yeboah Zaman Zielinski"""
)
STREETS: Final = tuple(
    f"{first} {second}"
    for first in _words(
        """Alder Barley Beacon Birch Canal Cinder Clough Cobbler Copper Damson Fallow Foundry Garnet Glebe Granary
        Harrier Hazel Heron Kiln Lantern Larch Linnet Mallow Medlar Millrace Orchard Otter Plover Quarry
        Rope Saddler Sorrel Teasel Tenter Thistle Turner Wharf Weaver Wren"""
    )
    for second in ("Street", "Road", "Close", "Lane", "Terrace", "Gardens")
)
TOWNS: Final = (
    "Zedford",
    "Netherzed",
    "Zelby Cross",
    "Upper Zann",
    "Zarrowby",
    "Zost-on-Water",
    "Great Zembly",
    "Little Zembly",
    "Zinderwick",
    "Zaltmouth",
)
ETHNICITIES: Final = ("WBRI",) * 14 + ("APKN", "ABAN", "AIND", "BAFR", "BCRB", "MWBC", "MWAS", "WOTH", "WIRI", "OOTH")
"""Codes of the school census and the CIN census; the first is the commonest."""
NICKNAMES: Final = {
    "Abdul": "Abs",
    "Archie": "Arch",
    "Ben": "Benjamin",
    "Charlie": "Charles",
    "Daniel": "Danny",
    "Eddie": "Edward",
    "Frank": "Frankie",
    "George": "Georgie",
    "Hannah": "Han",
    "Jack": "Jackie",
    "Josie": "Josephine",
    "Leo": "Leonard",
    "Lily": "Lil",
    "Megan": "Meg",
    "Mohammed": "Mo",
    "Molly": "Mary",
    "Nathan": "Nate",
    "Olly": "Oliver",
    "Sam": "Samuel",
    "Stanley": "Stan",
    "Tobias": "Toby",
    "Tomos": "Tom",
    "Victor": "Vic",
    "Wil": "William",
    "Zac": "Zachary",
}
OFFICERS: Final = (
    ("Amara", "Bellweather"),
    ("Callan", "Dunmore"),
    ("Delyth", "Farthing"),
    ("Errol", "Gadsby"),
    ("Fionn", "Hallam"),
    ("Gita", "Ingleby"),
    ("Hywel", "Jessop"),
    ("Ines", "Kettlewell"),
    ("Jovan", "Larkspur"),
    ("Keziah", "Mortlake"),
    ("Lorcan", "Nettleship"),
    ("Mair", "Oakenshaw"),
)
"""Workers of the agencies; they live in no household."""
