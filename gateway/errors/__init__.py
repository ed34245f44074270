"""Everything that can go wrong, as one tree.

    GatewayError
    ├── ConfigError            100  the configuration cannot be used
    │   ├── UnknownAdapter     110
    │   ├── UnknownPreset      115
    │   ├── AdapterError       120  an appliance's settings do not make a request
    │   ├── UnknownSource      130
    │   ├── UnknownSourceKind  135
    │   └── DataUnusable       140  the data folder or its database cannot be used
    │       ├── DatabaseNotReached 142
    │       └── NewerSchema    145
    ├── RequestError           200  what came in cannot be understood
    │   ├── MissingParameter   210
    │   ├── UnknownParameter   215
    │   ├── BadParameter       220
    │   ├── UnknownOperation   230
    │   ├── MalformedRequest   240
    │   ├── WrongEnvelope      245
    │   ├── NotUnderstood      247
    │   ├── TooLarge           250
    │   ├── WrongMethod        260
    │   ├── WrongContentType   265
    │   ├── UnknownTenant      270
    │   ├── UnknownEventSource 275
    │   ├── NotReplayable      280
    │   ├── OwnerChanged       290
    │   ├── MissedClaimed      292  somebody else calls this customer back
    │   ├── LastAdministrator  293  nobody could administer the company any more
    │   ├── MissedCleared      294
    │   ├── NoteChanged        296  somebody else has written in the note
    │   └── NoSuchAgent        298
    ├── AccessError            300  who asks may not
    │   ├── AddressNotAllowed  310
    │   ├── MetricsNotAllowed  315
    │   ├── CredentialsNeeded  320
    │   ├── BadCredentials     330
    │   ├── TooManyAttempts    340
    │   ├── ForeignPage        350
    │   ├── NotProven          360  a source's request has no right secret or signature
    │   │   └── LoginNotProven 365
    │   ├── PasswordToChange   375  a first password has to be changed at the desk
    │   ├── RightMissing       370  the role of who is logged in may not do it
    │   ├── OnsiteKeyRefused   380  a gateway on site has no valid key
    │   └── OnsiteKeyInUse     385  another gateway on site has the same key
    ├── BusyError              400  try again later; nothing was stored
    │   ├── QueueFull          410
    │   ├── StoreUnavailable   420
    │   │   └── StoreUnclear   422
    │   ├── DatabaseAway       424
    │   ├── StoreReplaced      425
    │   ├── Stopping           430
    │   ├── TooManyScreens     440
    │   ├── LoginsBusy         445
    │   ├── TooManyConnections 450
    │   ├── TooManyOrders      460
    │   ├── TooManyRequests    470
    │   └── NothingKept        480
    ├── DialError              500  a call cannot be placed
    │   ├── NoAppliance        510
    │   ├── UnknownAppliance   520
    │   ├── NotDiallable       530
    │   ├── KeyTaken           540
    │   ├── NothingToHangUp    550
    │   └── NumberBlocked      560
    ├── SourceError            600  a source of the directory cannot be read
    │   ├── ImportRunning      610
    │   └── ImportSuperseded   620
    ├── SourceSuperseded       640  another process has taken a source of events
    ├── EventSourceError       650  a source of events cannot be heard
    ├── MainGatewayError       660  a gateway on site cannot reach its main gateway
    └── InternalError          900  a defect of ours; the log has the details

A class fixes its code, HTTP status and whose fault it is (``client`` or ``server``), and the texts; the raiser supplies
facts. Whoever answers a reader renders the texts in the reader's language. Codes are never reused. Transports translate
an error once, each in one small table.
"""

from gateway.errors.access import (
    AccessError,
    AddressNotAllowed,
    BadCredentials,
    CredentialsNeeded,
    ForeignPage,
    LoginNotProven,
    MetricsNotAllowed,
    NotProven,
    OnsiteKeyInUse,
    OnsiteKeyRefused,
    PasswordToChange,
    RightMissing,
    TooManyAttempts,
)
from gateway.errors.busy import (
    BusyError,
    DatabaseAway,
    LoginsBusy,
    NothingKept,
    QueueFull,
    Stopping,
    StoreReplaced,
    StoreUnavailable,
    StoreUnclear,
    TooManyConnections,
    TooManyOrders,
    TooManyRequests,
    TooManyScreens,
)
from gateway.errors.configuration import (
    AdapterError,
    ConfigError,
    DatabaseNotReached,
    DataUnusable,
    NewerSchema,
    UnknownAdapter,
    UnknownPreset,
    UnknownSource,
    UnknownSourceKind,
)
from gateway.errors.dialling import (
    DialError,
    KeyTaken,
    NoAppliance,
    NotDiallable,
    NothingToHangUp,
    NumberBlocked,
    UnknownAppliance,
)
from gateway.errors.others import (
    EventSourceError,
    ImportRunning,
    ImportSuperseded,
    InternalError,
    MainGatewayError,
    SourceError,
    SourceSuperseded,
)
from gateway.errors.request import (
    BadParameter,
    LastAdministrator,
    MalformedRequest,
    MissedClaimed,
    MissedCleared,
    MissingParameter,
    NoSuchAgent,
    NoteChanged,
    NotReplayable,
    NotUnderstood,
    OwnerChanged,
    RequestError,
    TooLarge,
    UnknownEventSource,
    UnknownOperation,
    UnknownParameter,
    UnknownTenant,
    WrongContentType,
    WrongEnvelope,
    WrongMethod,
)
from gateway.errors.root import (
    GatewayError,
)

__all__ = [
    "AccessError",
    "AdapterError",
    "AddressNotAllowed",
    "BadCredentials",
    "BadParameter",
    "BusyError",
    "ConfigError",
    "CredentialsNeeded",
    "DataUnusable",
    "DatabaseAway",
    "DatabaseNotReached",
    "DialError",
    "EventSourceError",
    "ForeignPage",
    "GatewayError",
    "ImportRunning",
    "ImportSuperseded",
    "InternalError",
    "KeyTaken",
    "LastAdministrator",
    "LoginNotProven",
    "LoginsBusy",
    "MainGatewayError",
    "MalformedRequest",
    "MetricsNotAllowed",
    "MissedClaimed",
    "MissedCleared",
    "MissingParameter",
    "NewerSchema",
    "NoAppliance",
    "NoSuchAgent",
    "NotDiallable",
    "NotProven",
    "NotReplayable",
    "NotUnderstood",
    "NoteChanged",
    "NothingKept",
    "NothingToHangUp",
    "NumberBlocked",
    "OnsiteKeyInUse",
    "OnsiteKeyRefused",
    "OwnerChanged",
    "PasswordToChange",
    "QueueFull",
    "RequestError",
    "RightMissing",
    "SourceError",
    "SourceSuperseded",
    "Stopping",
    "StoreReplaced",
    "StoreUnavailable",
    "StoreUnclear",
    "TooLarge",
    "TooManyAttempts",
    "TooManyConnections",
    "TooManyOrders",
    "TooManyRequests",
    "TooManyScreens",
    "UnknownAdapter",
    "UnknownAppliance",
    "UnknownEventSource",
    "UnknownOperation",
    "UnknownParameter",
    "UnknownPreset",
    "UnknownSource",
    "UnknownSourceKind",
    "UnknownTenant",
    "WrongContentType",
    "WrongEnvelope",
    "WrongMethod",
]
